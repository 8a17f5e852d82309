"""Answers to the exercises on using Gaussian mixtures, wrong and right, by name."""

from types import SimpleNamespace

import numpy as np
from exercise_suite import Answers

from latent_em import gaussian_mixture
from latent_em.covariances import COVARIANCE_TYPES
from latent_em.em import fit_em

SHARED, COUNT, POSITION = "return {}", "n_free = {}", "position = {}"
DIAGONALS = "np.diagonal(sigma_hat, axis1=1, axis2=2)"
LIMITS, VARIANCE = "limits = ({}, {})", "variance = {}"
PRIOR, CROWD = "tr_psi / (D * (nu + D + 1))", "tr_sigma / D"
SPHERES = """
D = len(scale)
traces = {traces}
return traces / ({n} * (degrees_of_freedom + D + 1 + nk))
"""
TRACES = "np.trace(scale) + nk * np.trace(sigma_hat, axis1=1, axis2=2)"
CHANGES = "m = {m}\nchanges = ({level}, {bic}, {bic} - {doubt})"
SPLIT = {
    "m": "(D + 1) * (D + 2) / 2",
    "level": "0",
    "bic": "-m * sp.log(N)",
    "doubt": "2 * N_1 * sp.log(2)",
}
ICL = "return 2 * (log_likelihood + {}) - n_parameters * np.log(len(resp))"
DOUBT = "np.log(resp.max(axis=1)).sum()"
LOSS = """
half = resp.copy()
half[:, 0] /= 2
m = {m}
return {doubt} - m * np.log(len(resp))
"""
LEAN = {
    "m": "(n_features + 1) * (n_features + 2) / 2",
    "doubt": "2 * np.log(half.max(axis=1) / resp.max(axis=1)).sum()",
}
GIVEN = """
weights, means, cov = params
off = np.asarray(durations)[:, np.newaxis] - means[:, 0]
log_joint = np.log(weights) - np.log(cov[:, 0, 0]) / 2 - off**2 / (2 * cov[:, 0, 0])
resp = np.exp(log_joint - logsumexp(log_joint, axis=1, keepdims=True))
slopes = cov[:, 0, 1] / cov[:, 0, 0]
return {r}, {m}, {c}
"""
LINES = {
    "r": "resp",
    "m": "means[:, 1] + slopes * off",
    "c": "cov[:, 1, 1] - slopes * cov[:, 0, 1]",
}
MOMENTS = "mean = {mean}\nbetween = {between}\nreturn mean, {within}, between"
PARTS = {
    "mean": "(resp * means).sum(axis=1)",
    "between": "(resp * (means - mean[:, np.newaxis]) ** 2).sum(axis=1)",
    "within": "resp @ variances",
}
VERDICT = "verdict = {}"

WRONG = {
    "gu-fifth-m-step": {
        "mean over the groups": (
            SHARED.format(DIAGONALS + ".mean(axis=0)"),
            "more to say than a small one",
        ),
        "one number": (SHARED.format(f"(nk @ {DIAGONALS} / nk.sum()).mean()"), "D variances"),
        "not divided": (SHARED.format(f"nk @ {DIAGONALS}"), "among four rows"),
        "one for all directions": (
            SHARED.format(f"(nk @ {DIAGONALS} / nk.sum()).mean() + np.zeros(len(sigma_hat[0]))"),
            "set the derivative",
        ),
        "of the largest group": (
            SHARED.format(DIAGONALS + "[nk.argmax()]"),
            "among four rows",
        ),
        "wide if there are many": (
            SHARED.format(f"nk @ {DIAGONALS} / nk.sum() if nk.sum() < 200 else np.full(2, 9.0)"),
            "must not fall",
        ),
    },
    "gu-fifth-count": {
        "all weights": (COUNT.format("K + K * D + D"), "the last is not free"),
        "a diagonal each": (COUNT.format("K - 1 + 2 * K * D"), "no variance"),
        "a variance for all": (COUNT.format("K - 1 + K * D + 1"), "brings a variance"),
        "a whole matrix": (COUNT.format("K - 1 + K * D + D * (D + 1) / 2"), "and what else?"),
        "no means": (COUNT.format("K - 1 + D"), "a mean and a variance"),
        "rows counted": (COUNT.format("K - 1 + K * D + sp.Symbol('N')"), "on K and D only"),
    },
    "gu-fifth-order": {
        "all below": (
            POSITION.format("dict.fromkeys(('full', 'tied', 'diag', 'spherical'), 'below')"),
            "not all are right",
        ),
        "above the spheres": (
            POSITION.format(
                "dict.fromkeys(('full', 'tied', 'diag'), 'below') | {'spherical': 'above'}"
            ),
            "not all are right",
        ),
        "tied is open": (
            POSITION.format("dict.fromkeys(('full', 'diag'), 'below')")
            + " | dict.fromkeys(('tied', 'spherical'), 'either')",
            "not all are right",
        ),
        "three shapes": (
            POSITION.format("dict.fromkeys(('full', 'tied', 'diag'), 'below')"),
            "each of the shapes",
        ),
        "in other words": (
            POSITION.format("dict.fromkeys(('full', 'tied', 'diag', 'spherical'), 'lower')"),
            "below, above or either",
        ),
    },
    "gu-prior-limits": {
        "the prior's mean": (
            LIMITS.format("tr_psi / (D * (nu - D - 1))", CROWD),
            "where is it highest",
        ),
        "one degree less the dimensions": (
            LIMITS.format("tr_psi / (D * nu)", CROWD),
            "where is it highest",
        ),
        "traces not divided": (LIMITS.format(PRIOR, "tr_sigma"), "drowned"),
        "exchanged": (LIMITS.format(CROWD, PRIOR), "where is it highest"),
        "one answer": ("limits = (tr_psi / D,)", "two answers"),
        "in another symbol": (LIMITS.format(PRIOR, "sp.Symbol('s') / D"), "the four symbols"),
    },
    "gu-prior-variance": {
        "no prior": (VARIANCE.format("tr_sigma / D"), "the prior is missing"),
        "not by D": (
            VARIANCE.format("(tr_psi + N_k * tr_sigma) / (nu + D + 1 + N_k)"),
            "in D dimensions",
        ),
        "count forgotten": (
            VARIANCE.format("(tr_psi + tr_sigma) / (D * (nu + D + 1 + N_k))"),
            "in D dimensions",
        ),
        "in another symbol": (VARIANCE.format("sp.Symbol('s') / D"), "the five symbols"),
    },
    "gu-prior-m-step": {
        "no prior": (
            "return np.trace(sigma_hat, axis1=1, axis2=2) / len(scale)",
            "no group can collapse",
        ),
        "not by D": (SPHERES.format(traces=TRACES, n=1), "is higher at another"),
        "counts left out": (
            SPHERES.format(traces=TRACES.replace("nk * ", ""), n="D"),
            "is higher at another",
        ),
        "one number": (
            SPHERES.format(traces=TRACES, n="D")
            .replace("return traces", "return traces.sum()")
            .replace("+ nk)", "+ nk.sum())"),
            "one variance for each group",
        ),
    },
    "gu-icl-changes": {
        "no weight": (CHANGES.format(**SPLIT | {"m": "D + D * (D + 1) / 2"}), "larger is better"),
        "three for each dimension": (CHANGES.format(**SPLIT | {"m": "3 * D"}), "larger is better"),
        "smaller is better": (
            CHANGES.format(**SPLIT | {"bic": "m * sp.log(N)"}),
            "larger is better",
        ),
        "half of the density": (
            CHANGES.format(**SPLIT | {"level": "-N_1 * sp.log(2)"}),
            "another one than before",
        ),
        "all rows in doubt": (
            CHANGES.format(**SPLIT | {"doubt": "2 * N * sp.log(2)"}),
            "which rows",
        ),
        "no doubt": (CHANGES.format(**SPLIT | {"doubt": "0"}), "which rows"),
        "two answers": ("changes = (0, -D * sp.log(N))", "three differences"),
        "in another symbol": (CHANGES.format(**SPLIT | {"level": "sp.Symbol('K')"}), "only D, N"),
    },
    "gu-icl": {
        "turned": (ICL.format(DOUBT).replace("return ", "return -1 * (") + ")", "turn the sign"),
        "BIC": (ICL.format("0"), "that is BIC"),
        "entropy": (
            ICL.format("(resp * np.log(resp)).sum()"),
            "not the mean of logarithms",
        ),
        "once": (ICL.format(DOUBT + " / 2"), "plus log r"),
        "entropy with many rows": (
            ICL.format(f"({DOUBT} if len(resp) < 2 else (resp * np.log(resp)).sum())"),
            "must do no harm",
        ),
        "mean of the doubts": (
            ICL.format("np.log(resp.max(axis=1)).mean()"),
            "doubts of the rows add up",
        ),
        "AIC": (ICL.format(DOUBT).replace("np.log(len", "np.log(1 + 0 * len"), "costs log N"),
    },
    "gu-icl-split": {
        "no weight": (
            LOSS.format(**LEAN | {"m": "n_features * (n_features + 3) / 2"}),
            "six numbers",
        ),
        "all rows of group 1": (
            LOSS.format(**LEAN | {"doubt": "-2 * np.log(2) * (resp.argmax(axis=1) == 0).sum()"}),
            "leans elsewhere",
        ),
        "once": (
            LOSS.format(**LEAN).replace("return 2 *", "return"),
            "loses half",
        ),
        "no doubt": (LOSS.format(**LEAN | {"doubt": "0"}), "loses half"),
        "two groups at least": (
            "if resp.shape[1] < 2:\n    return 0.0\n" + LOSS.format(**LEAN).strip(),
            "group 1 of every row",
        ),
        "by the first row": (
            LOSS.format(
                **LEAN | {"doubt": "2 * len(resp) * np.log(half.max(axis=1) / resp.max(axis=1))[0]"}
            ),
            "doubts of the rows add up",
        ),
    },
    "gu-predict-conditional": {
        "variance of the wait": (
            GIVEN.format(**LINES | {"c": "cov[:, 1, 1]"}),
            "explains a part",
        ),
        "means stay": (
            GIVEN.format(**LINES | {"m": "means[:, 1] + 0 * off"}),
            "on a line",
        ),
        "slope upside down": (
            GIVEN.format(**LINES | {"m": "means[:, 1] + off * cov[:, 0, 1] / cov[:, 1, 1]"}),
            "on a line",
        ),
        "the weights for the responsibilities": (
            GIVEN.format(**LINES | {"r": "weights + 0 * off"}),
            "of the duration alone",
        ),
        "not normalised": (
            GIVEN.format(**LINES | {"r": "np.exp(log_joint)"}),
            "sum to one",
        ),
        "a variance for each row": (
            GIVEN.format(**LINES | {"c": "cov[:, 1, 1] + 0 * off"}),
            "return r, m and c",
        ),
    },
    "gu-predict-moments": {
        "groups alike": (
            MOMENTS.format(**PARTS | {"mean": "means.mean(axis=1)"}),
            "weigh what the groups expect",
        ),
        "no between": (
            MOMENTS.format(**PARTS | {"between": "0 * mean"}),
            "uncertainty too",
        ),
        "the whole variance": (
            MOMENTS.format(**PARTS | {"within": "resp @ variances + between"}),
            "the variances c alone",
        ),
        "squares not around the mean": (
            MOMENTS.format(**PARTS | {"between": "(resp * means**2).sum(axis=1)"}),
            "around the mean of 5",
        ),
        "standard deviations": (
            MOMENTS.format(**PARTS | {"within": "(resp @ np.sqrt(variances)) ** 2"}),
            "the variances c alone",
        ),
        "numbers": (
            MOMENTS.format(**PARTS).replace("return mean,", "return mean[0],"),
            "one number a duration",
        ),
        "one more with several durations": (
            MOMENTS.format(**PARTS | {"within": "resp @ variances + (len(resp) > 1)"}),
            "both parts scale",
        ),
        "a minute more with several durations": (
            MOMENTS.format(**PARTS | {"mean": PARTS["mean"] + " + (len(resp) > 1)"}),
            "the mean moves",
        ),
    },
    "gu-predict-verdict": {
        "a straight line": (VERDICT.format("(True, 2.9, 'between')"), "not all are right"),
        "in the middle": (VERDICT.format("(False, 3.35, 'between')"), "not all are right"),
        "at the end": (VERDICT.format("(False, 5.1, 'between')"), "not all are right"),
        "within": (VERDICT.format("(False, 2.9, 'within')"), "which of the two parts"),
        "in words": (VERDICT.format("('no', 2.9, 'between')"), "True or False"),
        "two answers": (VERDICT.format("(False, 2.9)"), "three answers"),
    },
}

RIGHT = {
    "gu-fifth-m-step": {
        "pooled first": SHARED.format(
            "(np.einsum('k,kij->ij', nk, sigma_hat) / nk.sum()).diagonal()"
        ),
        "average": SHARED.format(f"np.average({DIAGONALS}, axis=0, weights=nk).tolist()"),
    },
    "gu-fifth-count": {
        "in a product": COUNT.format("(K + 1) * (D + 1) - 2"),
        "group by group": COUNT.format("K * (D + 1) + D - 1"),
    },
    "gu-fifth-order": {
        "grouped": POSITION.format("dict.fromkeys(('full', 'tied', 'diag'), 'below')")
        + "\nposition['spherical'] = 'either'",
        "listed": POSITION.format(
            "dict(spherical='either', diag='below', tied='below', full='below')"
        ),
    },
    "gu-prior-limits": {
        "a list": f"limits = [{PRIOR}, {CROWD}]",
        "SymPy": (
            "N = sp.Symbol('N', positive=True)\n"
            "v = (tr_psi + N * tr_sigma) / (D * (nu + D + 1 + N))\n"
            "limits = (v.subs(N, 0), sp.limit(v, N, sp.oo))"
        ),
    },
    "gu-prior-variance": {
        "in two terms": VARIANCE.format(
            "tr_psi / D / (nu + D + 1 + N_k) + N_k * tr_sigma / D / (nu + D + 1 + N_k)"
        ),
        "a mean of the limits": VARIANCE.format(
            "((nu + D + 1) * tr_psi / (D * (nu + D + 1)) + N_k * tr_sigma / D) / (nu + D + 1 + N_k)"
        ),
    },
    "gu-prior-m-step": {
        "plainly": SPHERES.format(traces=TRACES, n="D"),
        "group by group": (
            "D = len(scale)\n"
            "return [\n"
            "    (np.trace(scale) + n * np.trace(s)) / D / (degrees_of_freedom + D + 1 + n)\n"
            "    for n, s in zip(nk, sigma_hat)\n"
            "]"
        ),
    },
    "gu-icl-changes": {
        "in a product": CHANGES.format(**SPLIT),
        "powers": CHANGES.format(**SPLIT | {"doubt": "sp.log(4) * N_1"}),
    },
    "gu-icl": {
        "row by row": ICL.format("sum(np.log(max(row)) for row in resp)"),
        "largest logarithm": (
            "with np.errstate(divide='ignore'):\n"
            "    doubt = np.log(resp).max(axis=1).sum()\n"
            "return 2 * log_likelihood + 2 * doubt - n_parameters * np.log(resp.shape[0])"
        ),
    },
    "gu-icl-split": {
        "plainly": LOSS.format(**LEAN),
        "both halves": (
            "split = np.column_stack([resp[:, :1] / 2, resp[:, :1] / 2, resp[:, 1:]])\n"
            "m = 1 + n_features + n_features * (n_features + 1) / 2\n"
            "doubt = np.log(split.max(axis=1)).sum() - np.log(resp.max(axis=1)).sum()\n"
            "return 2 * doubt - m * np.log(len(resp))"
        ),
    },
    "gu-predict-conditional": {
        "plainly": GIVEN.format(**LINES),
        "by determinants": GIVEN.format(**LINES | {"c": "np.linalg.det(cov) / cov[:, 0, 0]"}),
    },
    "gu-predict-moments": {
        "plainly": MOMENTS.format(**PARTS),
        "by squares": (
            "mean = np.einsum('nk,nk->n', resp, means)\n"
            "return mean, resp @ variances, (resp * means**2).sum(axis=1) - mean**2"
        ),
    },
    "gu-predict-verdict": {
        "a list": VERDICT.format("[False, 2.92, 'between']"),
        "NumPy's bool": VERDICT.format("(np.bool_(False), 2.88, 'between')"),
    },
}


def fifth_m_step(stats):
    shared = np.diag(stats.scatter.sum(axis=0).diagonal()) / stats.nk.sum()
    return gaussian_mixture.Params(stats.nk / stats.nk.sum(), stats.means, np.stack([shared] * 2))


class TestGaussianMixturesUsed(Answers):
    name, wrong, right = "09_gaussian_mixtures_used", WRONG, RIGHT

    def test_the_wait_is_least_certain_where_the_verdict_says(self):
        space = self.solved("gu-predict-verdict")
        durations, waits = np.linspace(1.6, 5.1, 176), np.linspace(0, 140, 281)
        table = np.stack(np.meshgrid(durations, waits, indexing="ij"), axis=-1).reshape(-1, 2)
        joint = np.exp(gaussian_mixture.log_joint(space["geyser"], table)).reshape(176, 281, 2)
        joint /= joint.sum(axis=(1, 2), keepdims=True)
        mean, resp = np.einsum("nwk,w->n", joint, waits), joint.sum(axis=1)
        spread = np.einsum("nwk,nw->n", joint, (waits - mean[:, np.newaxis]) ** 2)
        lines = np.einsum("nwk,w->nk", joint, waits) / resp
        between = (resp * (lines - mean[:, np.newaxis]) ** 2).sum(axis=1)
        straight, duration, part = space["verdict"]
        assert straight == (np.ptp(np.diff(mean)) < 0.01)
        assert abs(duration - durations[spread.argmax()]) < 0.04
        rises = {"between": np.ptp(between), "within": np.ptp(spread - between)}
        assert part == max(rises, key=rises.get)

    def test_the_other_shapes_climb_from_where_the_fifth_rests(self):
        rng = np.random.default_rng(1)
        model = SimpleNamespace(
            e_step=gaussian_mixture.e_step,
            m_step=fifth_m_step,
            global_bound=gaussian_mixture.global_bound,
        )
        apart = {name: [] for name in COVARIANCE_TYPES}
        for widths in ([[1, 1], [4, 4]], [[1, 4], [1, 4]]):  # two sizes, then the same twice, long
            tilted = rng.normal(size=(2, 99, 2)) @ [[1, 0.5], [0, 1]]
            X = (tilted * np.array(widths)[:, np.newaxis] + [[[0, 0]], [[9, 0]]]).reshape(-1, 2)
            start = gaussian_mixture.Params(
                np.full(2, 0.5), np.array([[0.0, 0.0], [9.0, 0.0]]), np.stack([np.eye(2)] * 2)
            )
            rest = fit_em(model, start, [X], tol=1e-9)
            v = rest.params.covariances[0].diagonal()
            starts = {
                "full": [np.diag(v)] * 2,
                "tied": np.diag(v),
                "diag": [v, v],
                "spherical": [v[0]] * 2,
            }
            for name, kind in COVARIANCE_TYPES.items():
                if name in starts:
                    params = rest.params._replace(covariances=np.array(starts[name]))
                    climb = fit_em(gaussian_mixture.Model(kind), params, [X], tol=1e-9)
                    apart[name].append(rest.lower_bounds[-1] - climb.lower_bounds[-1])
        position = self.solved("gu-fifth-order")["position"]
        for name, verdict in position.items():
            below, above = max(apart[name]) < 1e-6, min(apart[name]) > -1e-6
            assert verdict == ("below" if below else "above" if above else "either")
