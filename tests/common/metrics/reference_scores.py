# SPDX-License-Identifier: Apache-2.0
# Prints metrics of scores by scikit-learn. Input: lines "SET TRUTH SCORE" of
# binary scores, and "TABLE TRUTH PREDICTED" of three classes; output: lines
# "SET METRIC VALUE".
import collections
import sys
import warnings

import numpy
from sklearn import linear_model, metrics

warnings.simplefilter("ignore")
sets = collections.defaultdict(lambda: ([], []))
for line in sys.stdin:
    name, truth, score = line.split()
    sets[name][0].append(int(truth))
    sets[name][1].append(float(score))

for name, (truth, score) in sets.items():
    y, x = numpy.array(truth), numpy.array(score)
    if name == "table":
        found = {
            "balanced": metrics.balanced_accuracy_score(y, x.astype(int)),
            "kappa": metrics.cohen_kappa_score(y, x.astype(int)),
        }
    else:
        p = 1 / (1 + numpy.exp(-x))
        line = linear_model.LogisticRegression(penalty=None, tol=1e-10,
                                               max_iter=10000)
        found = {
            "auc": metrics.roc_auc_score(y, x),
            "partial": metrics.roc_auc_score(y, x, max_fpr=0.1),
            "ap": metrics.average_precision_score(y, x),
            "brier": metrics.brier_score_loss(y, p),
            "slope": line.fit(x[:, None], y).coef_[0, 0],
        }
        false_rate, true_rate, _ = metrics.roc_curve(y, x)
        found["youden"] = (true_rate - false_rate).max()
    for metric, value in found.items():
        print(name, metric, "%.15g" % value)
