"""``python -m latent_em.grading`` is ``latent-em``."""

import sys

from latent_em.grading.cli import main

sys.exit(main())
