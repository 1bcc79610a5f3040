// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/select_pcxr.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

constexpr DicomTag kImageType = 0x00080008;
constexpr DicomTag kSopClass = 0x00080016;
constexpr DicomTag kModality = 0x00080060;
constexpr DicomTag kIntent = 0x00080068;
constexpr DicomTag kCodeMeaning = 0x00080104;
constexpr DicomTag kStudyDescription = 0x00081030;
constexpr DicomTag kSeriesDescription = 0x0008103e;
constexpr DicomTag kBodyPart = 0x00180015;
constexpr DicomTag kProtocolName = 0x00181030;
constexpr DicomTag kProcessing = 0x00181400;
constexpr DicomTag kViewPosition = 0x00185101;
constexpr DicomTag kViewCodes = 0x00540220;

constexpr absl::string_view kSecondaryCapture = "1.2.840.10008.5.1.4.1.1.7";
constexpr absl::string_view kDxForProcessing = "1.2.840.10008.5.1.4.1.1.1.1.1";

// The views that words name.
struct Views {
  bool ap = false;
  bool pa = false;
  bool other = false;  // lateral, oblique, decubitus

  bool none() const { return !ap && !pa && !other; }
};

Views ViewsIn(const Words& words, const FilmWords& known) {
  return {.ap = known.Has(words, FilmWord::kAp),
          .pa = known.Has(words, FilmWord::kPa),
          .other = known.Has(words, FilmWord::kOther)};
}

void AddWords(absl::string_view text, Words& words) {
  for (std::string& word : WordsIn(text)) words.push_back(std::move(word));
}

Words WordsOf(const DicomElements& elements,
              const std::vector<DicomTag>& tags) {
  Words words;
  for (DicomTag tag : tags) AddWords(elements.Text(tag), words);
  return words;
}

// Returns the words about the image itself. Leaves out the study's description,
// which is about all the study's images.
Words SeriesWords(const DicomElements& elements) {
  return WordsOf(elements, {kSeriesDescription, kProtocolName, kProcessing});
}

std::string WhyNotRadiograph(const DicomElements& elements) {
  const std::string modality = elements.Text(kModality);
  if (modality != "CR" && modality != "DX") {
    return modality.empty() ? "the modality is not given"
                            : "the modality is not CR or DX";
  }
  const std::string sop_class = elements.Text(kSopClass);
  if (sop_class == kSecondaryCapture ||
      absl::StartsWith(sop_class, absl::StrCat(kSecondaryCapture, "."))) {
    return "a secondary capture";
  }
  const std::string intent = elements.Text(kIntent);
  if (sop_class == kDxForProcessing || intent == "FOR PROCESSING") {
    return "meant for processing, not for presentation";
  }
  if (!intent.empty() && intent != "FOR PRESENTATION") {
    return "not said to be for presentation";
  }
  for (const std::string& type : elements.Texts(kImageType)) {
    if (type == "LOCALIZER" || type == "SCOUT") return "a localizer";
  }
  return "";
}

std::string WhyNotChest(const DicomElements& elements, const FilmWords& known) {
  Words part = WordsOf(elements, {kBodyPart});
  const bool coded = !part.empty();
  if (!coded) {
    part = SeriesWords(elements);
    AddWords(elements.Text(kStudyDescription), part);
  }
  if (!known.Has(part, FilmWord::kChest)) {
    return coded ? "the body part is not the chest"
                 : "nothing says that it shows the chest";
  }
  if (known.Has(part, FilmWord::kMore)) return "it shows more than the chest";
  return "";
}

// Returns the view by fixed vocabulary: View Position, else the view's code.
Views CodedViews(const DicomElements& elements, const FilmWords& known) {
  Words words = WordsOf(elements, {kViewPosition});
  if (words.empty()) {
    auto codes = elements.Items(kViewCodes);
    if (codes.ok() && !codes->empty()) {
      AddWords((*codes)[0].Text(kCodeMeaning), words);
    }
  }
  Views views = ViewsIn(words, known);
  if (views.none() && !words.empty()) {
    views.ap = known.Has(words, FilmWord::kBedside);
    views.other = !views.ap;
  }
  return views;
}

void SelectView(const DicomElements& elements, const FilmWords& known,
                PcxrVerdict& verdict) {
  const Words words = SeriesWords(elements);
  const Views text = ViewsIn(words, known);
  Views views = CodedViews(elements, known);
  if (views.none()) {
    views = text;
    // A patient radiographed in bed faces the tube, so the view is AP.
    if (views.none()) views.ap = known.Has(words, FilmWord::kBedside);
  } else if (text.other && !text.ap && !text.pa && !views.other) {
    verdict.reason = "its text says another view than its view position";
    return;
  }
  if (views.none()) {
    verdict.reason = "nothing says whether the view is AP or PA";
  } else if (views.other) {
    verdict.reason = "the view is not AP or PA";
  } else if (views.ap && views.pa) {
    verdict.reason = "both AP and PA are named";
  } else {
    verdict.view = views.ap ? "AP" : "PA";
  }
}

}  // namespace

PcxrVerdict SelectPcxr(const DicomElements& elements, const FilmWords& words) {
  PcxrVerdict verdict;
  verdict.reason = WhyNotRadiograph(elements);
  if (verdict.reason.empty()) verdict.reason = WhyNotChest(elements, words);
  if (verdict.reason.empty()) SelectView(elements, words, verdict);
  return verdict;
}

}  // namespace hilum
