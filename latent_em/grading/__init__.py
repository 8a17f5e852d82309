"""Release, self-check and official grade of the exercise notebooks."""
