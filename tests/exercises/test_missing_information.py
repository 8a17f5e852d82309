"""Answers to the exercises on missing information, wrong and right, by name."""

from exercise_suite import Answers

STEP, FACTOR = "em_step = {}", "factor = {}"

WRONG = {
    "em-bulbs-step": {
        "dead when the test ends": (STEP.format("(S + N_c * tau) / N"), "burn on after"),
        "life begins anew": (STEP.format("(S + N_c * theta) / N"), "tau behind it"),
        "the failed alone": (STEP.format("S / (N - N_c)"), "two more have"),
        "the limit": (STEP.format("(S + N_c * tau) / (N - N_c)"), "two more have"),
        "over the failed": (
            STEP.format("(S + N_c * (tau + theta)) / (N - N_c)"),
            "two more have",
        ),
        "half are burning": (
            STEP.format("(S + N / 2 * (tau + theta)) / N"),
            "the mean of all N lives",
        ),
        "twice the end of the test": (
            STEP.format("(S + N_c * (2 * tau + theta - 2)) / N"),
            "the mean of all N lives",
        ),
        "in another symbol": (
            STEP.format("(S + N_c * (sp.Symbol('t') + theta)) / N"),
            "in theta, S, N, N_c and tau",
        ),
    },
    "em-bulbs-factor": {
        "what is not missing": (FACTOR.format("1 - N_c / N"), "the slower is EM"),
        "one half": (FACTOR.format("sp.Rational(1, 2)"), "the slower is EM"),
        "missing over seen": (FACTOR.format("N_c / (N - N_c)"), "a part of the way"),
        "a bulb more": (FACTOR.format("(N_c + 1) / (N + 1)"), "nothing is missing"),
        "square": (FACTOR.format("(N_c / N) ** 2"), "all of the information"),
        "root": (FACTOR.format("sp.sqrt(N_c / N)"), "all of the information"),
        "of the hours": (
            FACTOR.format("N_c * tau / (S + N_c * tau)"),
            "all of the information",
        ),
        "in percent": (FACTOR.format("100 * N_c / N"), "a part of the way"),
        "in another symbol": (FACTOR.format("sp.Symbol('n') / N"), "in theta, S, N, N_c and tau"),
    },
}

RIGHT = {
    "em-bulbs-step": {
        "seen, then not seen": STEP.format("S / N + N_c * tau / N + N_c * theta / N"),
        "by the integral of the density": (
            "x = sp.Symbol('x', positive=True)\n"
            "ahead = sp.integrate(x * sp.exp(-x / theta) / theta, (x, 0, sp.oo))\n"
            "em_step = (S + N_c * (tau + ahead)) / N"
        ),
        "from the limit": STEP.format(
            "(1 - N_c / N) * (S + N_c * tau) / (N - N_c) + N_c / N * theta"
        ),
    },
    "em-bulbs-factor": {
        "derivative of the step": FACTOR.format("sp.diff((S + N_c * (tau + theta)) / N, theta)"),
        "what is not seen": FACTOR.format("1 - (N - N_c) / N"),
    },
}


class TestMissingInformation(Answers):
    name, wrong, right = "06_missing_information", WRONG, RIGHT

    def test_the_factor_is_that_of_the_steps(self):
        for n_burning in (2, 5):
            data = {"S": 7.0, "N": 12, "N_c": n_burning, "tau": 1.5}
            space = self.solved("em-bulbs-step") | self.solved("em-bulbs-factor")
            path = [2.0]
            for _ in range(3):
                path.append(space["number"](space["em_step"], theta=path[-1], **data))
            shrinks = (path[3] - path[2]) / (path[2] - path[1])
            assert abs(shrinks - space["number"](space["factor"], theta=path[-1], **data)) < 1e-9
