// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/model_card_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/config/study.h"

namespace hilum {
namespace {

// Returns `adamw` for KIND_ADAMW.
std::string Word(absl::string_view name, absl::string_view prefix) {
  return absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
}

std::string Formula(const v1::Model& model) {
  switch (model.preprocessing()) {
    case v1::Model::PREPROCESSING_IMAGENET:
      return model.input_channels() == 1
                 ? "`(x - 0.449) / 0.226`"
                 : "`(x - mean) / deviation` of each channel, means 0.485, "
                   "0.456, 0.406 and deviations 0.229, 0.224, 0.225";
    case v1::Model::PREPROCESSING_TORCHXRAYVISION:
      return "`(2 x - 1) * 1024`";
    default:
      return "`(x - 0.5) / 0.25`";
  }
}

std::string OptimizerText(const v1::Optimizer& optimizer) {
  std::string text =
      absl::StrCat(Word(v1::Optimizer::Kind_Name(optimizer.kind()), "KIND_"),
                   ", learning rate ", optimizer.learning_rate(),
                   ", weight decay ", optimizer.weight_decay());
  if (optimizer.kind() == v1::Optimizer::KIND_SGD) {
    absl::StrAppend(&text, ", momentum ", optimizer.momentum());
  }
  if (optimizer.layer_decay() > 0) {
    absl::StrAppend(&text, ", layer decay ", optimizer.layer_decay());
  }
  return text;
}

std::string ScheduleText(const v1::Schedule& schedule) {
  std::string text = Word(v1::Schedule::Kind_Name(schedule.kind()), "KIND_");
  if (schedule.warmup_rounds() > 0) {
    absl::StrAppend(&text, ", warm-up ", schedule.warmup_rounds(), " rounds");
  }
  if (schedule.kind() == v1::Schedule::KIND_STEP) {
    absl::StrAppend(&text, ", times ", schedule.step_factor(), " every ",
                    schedule.step_rounds(), " rounds");
  }
  if (schedule.kind() == v1::Schedule::KIND_COSINE) {
    absl::StrAppend(&text, " to ", schedule.final_fraction(), " of the rate");
  }
  return text;
}

std::string LossText(const v1::Training& training) {
  std::string text =
      training.focal_gamma() > 0
          ? absl::StrCat("focal loss, gamma ", training.focal_gamma())
          : "cross-entropy";
  absl::StrAppend(
      &text, ", class weights ",
      Word(v1::Training::ClassWeights_Name(training.class_weights()),
           "CLASS_WEIGHTS_"));
  if (training.label_smoothing() > 0) {
    absl::StrAppend(&text, ", label smoothing ", training.label_smoothing());
  }
  if (training.logit_adjustment() > 0) {
    absl::StrAppend(&text, ", logit adjustment ", training.logit_adjustment());
  }
  return text;
}

std::string AugmentationText(const v1::Augmentation& reach) {
  return absl::StrCat("rotation ", reach.rotation_degrees(), " degrees, shift ",
                      reach.shift(), ", scale ", reach.scale(), ", intensity ",
                      reach.intensity(), ", gamma ", reach.gamma(),
                      reach.flip() ? ", flip" : "");
}

std::string TrainableText(const v1::Model& model) {
  switch (model.trainable()) {
    case v1::Model::TRAINABLE_HEAD:
      return "the head; all before it is as it started";
    case v1::Model::TRAINABLE_LAST_BLOCKS:
      return absl::StrCat("the last ", model.last_blocks(),
                          " blocks and the head; all before is as it started");
    default:
      return "all of it";
  }
}

// Returns "whole-fold-1 3, whole-fold-2 5".
std::string RoundsOfTracks(const StudyResult& result) {
  const std::vector<Track> tracks = StudyTracks(result.study);
  std::vector<std::string> rounds;
  for (size_t t = 0; t < tracks.size(); ++t) {
    rounds.push_back(
        absl::StrCat(ArmTrackName(tracks[t]), " ", result.model_rounds.at(t)));
  }
  return absl::StrJoin(rounds, ", ");
}

std::string ChoiceText(const StudyResult& result) {
  if (!IsValidated(result.study)) return "the last round's models";
  const v1::Validation& validation = result.study.training().validation();
  std::string text = absl::StrCat(
      "validation on ", validation.share(),
      " of the training patients; of each track its best model tried, else its "
      "last; after round: ",
      RoundsOfTracks(result));
  if (validation.patience() > 0) {
    absl::StrAppend(&text, "; patience ", validation.patience(), " rounds");
  }
  return text;
}

std::string SegmentationInputText(const v1::Study& study) {
  const std::string side = absl::StrCat(study.model().input_size());
  return absl::StrCat(
      "Input: `[n, 1, ", side, ", ", side,
      "]`, float32: the whole radiograph, grays stretched so that its 1st and "
      "99th percentiles become 0 (black) and 1 (white), then resized to ",
      side, " x ", side, " pixels.\n\nOutput: `[n, 1, ", side, ", ", side,
      "]`, a logit for each pixel; where its sigmoid is over 0.5 is lung. "
      "`hilum-trainer segment run --weights FILE.safetensors` makes masks of "
      "radiographs with it, and tidies and judges them.\n");
}

constexpr char kLimits[] =
    "- Each `fold-K` was trained without the cases of fold K and scored on "
    "them; `final` held none out and has no scores of its own. "
    "The figures say what to expect at the sites that trained, not at "
    "others.\n"
    "- Patients who are at two sites were taken for different people.\n";

constexpr char kLocalNorm[] =
    "- Batch normalisation is `local` (FedBN): every site trained and kept "
    "its own, and was scored with it. These files hold the batch "
    "normalisation of the starting weights instead, and an unseen hospital "
    "must expect less than the figures say.\n";

}  // namespace

std::string MarkdownRow(const std::vector<std::string>& cells) {
  return absl::StrCat("| ", absl::StrJoin(cells, " | "), " |\n");
}

std::string MarkdownHead(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (size_t i = 0; i < cells.size(); ++i) line += "---|";
  return absl::StrCat(MarkdownRow(cells), line, "\n");
}

std::string InputText(const v1::Study& study) {
  if (IsSegmentation(study)) return SegmentationInputText(study);
  const v1::Model& model = study.model();
  std::string text = absl::StrCat(
      "Input: `[n, ", model.input_channels(), ", ", model.input_size(), ", ",
      model.input_size(), "]`, float32",
      model.input_channels() == 3 ? ", the same gray in all channels" : "",
      ". Grays x are from 0 (black) to 1 (white).\n\n");
  for (int arm : study.arms()) {
    absl::StrAppend(
        &text, "- `", ArmName(static_cast<v1::Arm>(arm)), "`: ",
        arm == v1::ARM_SEGMENTED
            ? "grays stretched so that the 1st and 99th percentiles inside the "
              "lung mask become 0 and 1, black outside the mask, cropped to "
              "its bounding box with 2 % of each side as margin"
            : "the whole radiograph, grays stretched so that its 1st and 99th "
              "percentiles become 0 and 1",
        "; then resized to ", model.input_size(), " x ", model.input_size(),
        " pixels.\n");
  }
  absl::StrAppend(
      &text, "\nThen, as `preprocessing: ",
      Word(v1::Model::Preprocessing_Name(model.preprocessing()),
           "PREPROCESSING_"),
      "` says, ", Formula(model), ".\n\nOutput: `[n, ", study.classes_size(),
      "]`, logits in this order: ", absl::StrJoin(study.classes(), ", "),
      ". Their softmax are the probabilities that were evaluated.\n");
  return text;
}

std::string RoundText(const v1::Training& training) {
  return training.local_steps() > 0
             ? absl::StrCat(training.local_steps(), " steps")
             : absl::StrCat(training.local_epochs(), " epochs");
}

std::string TrainingText(const StudyResult& result) {
  const v1::Study& study = result.study;
  const v1::Training& training = study.training();
  const auto row = [](absl::string_view what, const std::string& value) {
    return MarkdownRow({std::string(what), value});
  };
  std::string table = MarkdownHead({"", ""});
  absl::StrAppend(
      &table, row("trained", TrainableText(study.model())),
      row("rounds",
          absl::StrCat(result.rounds.size(), " of ", training.rounds(),
                       " planned, ", RoundText(training), " each")),
      row("models", ChoiceText(result)),
      row("batch size", absl::StrCat(training.batch_size())),
      row("optimizer", OptimizerText(training.optimizer())),
      row("schedule", ScheduleText(training.schedule())),
      row("loss", IsSegmentation(study)
                      ? "binary cross-entropy and soft Dice, of each pixel"
                      : LossText(training)),
      row("augmentation", AugmentationText(training.augmentation())),
      row("precision", Word(v1::Training::Precision_Name(training.precision()),
                            "PRECISION_")),
      row("batch normalisation",
          Word(v1::Model::BatchNorm_Name(study.model().batch_norm()),
               "BATCH_NORM_")),
      row("sites", absl::StrJoin(result.census_totals.sites(), ", ")),
      row("aggregation",
          absl::StrCat("FedAvg, secure aggregation ",
                       IsSecure(study) ? "on" : "off", ", clipping norm ",
                       study.aggregation().clipping_norm(), " (0: none)")),
      row("cross-validation",
          absl::StrCat(study.cross_validation().folds(), " folds by patient")),
      row("seed", absl::StrCat(study.seed())));
  return table;
}

std::string LimitsText(const StudyResult& result) {
  if (IsSegmentation(result.study)) {
    return absl::StrCat(
        kLimits,
        "- The models learned from the sites' masks, and were scored against "
        "them: what these leave out by habit (lung behind the heart, or under "
        "an opacity), the models leave out, and no figure here shows it.\n"
        "- Cases without a mask, or whose mask did not look like two lungs, "
        "were neither trained on nor scored; they may be the harder ones.\n");
  }
  return absl::StrCat(
      kLimits,
      "- Classes that come mostly from one site may be told by its equipment "
      "instead of the disease.\n"
      "- Probabilities are not calibrated.\n",
      result.study.model().batch_norm() == v1::Model::BATCH_NORM_LOCAL
          ? kLocalNorm
          : "");
}

}  // namespace hilum
