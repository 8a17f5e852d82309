import pytest

pytest.register_assert_rewrite("exercise_suite")
