# SPDX-License-Identifier: Apache-2.0
# Prints metrics of scores by pROC and glm. Input and output as those of
# reference_scores.py, without tables.
suppressMessages(library(pROC))
options(warn = -1)
lines <- read.table(file("stdin"), col.names = c("set", "truth", "score"))
say <- function(set, metric, value) {
  # pROC standardises no partial area below the diagonal.
  if (!is.na(value)) cat(set, metric, sprintf("%.15g", value), "\n")
}
for (set in setdiff(unique(lines$set), "table")) {
  d <- lines[lines$set == set, ]
  curve <- roc(d$truth, d$score, direction = "<", levels = c(0, 1),
               quiet = TRUE)
  say(set, "auc", as.numeric(auc(curve)))
  say(set, "variance", var(curve, method = "delong"))
  say(set, "partial", as.numeric(auc(curve, partial.auc = c(1, 0.9),
                                     partial.auc.correct = TRUE)))
  say(set, "partial_sensitivity",
      as.numeric(auc(curve, partial.auc = c(1, 0.9),
                     partial.auc.focus = "sensitivity",
                     partial.auc.correct = TRUE)))
  s <- curve$sensitivities
  e <- curve$specificities
  say(set, "at_specificity", max(s[e >= 0.9]))
  say(set, "at_sensitivity", max(e[s >= 0.9]))
  say(set, "youden", max(s + e - 1))
  line <- summary(glm(truth ~ score, binomial, d, epsilon = 1e-12))$coefficients
  say(set, "slope", line[2, 1])
  say(set, "slope_error", line[2, 2])
  shift <- summary(glm(truth ~ 1, binomial, d, offset = d$score,
                       epsilon = 1e-12))$coefficients
  say(set, "intercept", shift[1, 1])
  say(set, "intercept_error", shift[1, 2])
}
