// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/inspect.h"

#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "site_agent/imaging/dicom/decode_dicom.h"
#include "site_agent/imaging/dicom/select_pcxr.h"
#include "site_agent/imaging/image.h"

namespace hilum {
namespace {

constexpr DicomTag kRows = 0x00280010;
constexpr DicomTag kColumns = 0x00280011;

// Fills in `found`; an error is the reason for not accepting the file.
absl::Status Inspect(const FilmWords& words, Inspection& found) {
  HILUM_ASSIGN_OR_RETURN(std::string bytes,
                         ReadFile(found.file, kMaxImageFileBytes));
  found.readable = true;
  HILUM_ASSIGN_OR_RETURN(found.transfer_syntax, ReadTransferSyntaxUid(bytes));
  HILUM_ASSIGN_OR_RETURN(DicomFile file, ReadDicomFile(bytes));
  found.rows = file.elements.Uint16(kRows);
  found.columns = file.elements.Uint16(kColumns);
  HILUM_ASSIGN_OR_RETURN(StoredPixels pixels, DecodeStoredPixels(file));
  found.decoded = true;
  found.stored_sha256 = ToHex(Sha256Of(pixels.bytes));
  const PcxrVerdict verdict = SelectPcxr(file.elements, words);
  found.view = verdict.view;
  if (!verdict.accepted()) {
    return absl::FailedPreconditionError(verdict.reason);
  }
  HILUM_ASSIGN_OR_RETURN(GrayImage image, RenderDicom(file.elements, pixels));
  found.notes = std::move(image.notes);
  return CheckShowsSomething(image);
}

nlohmann::ordered_json TextOrNull(const std::string& text) {
  return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
}

nlohmann::ordered_json NumberOrNull(std::optional<int> number) {
  return number.has_value() ? nlohmann::ordered_json(*number)
                            : nlohmann::ordered_json();
}

}  // namespace

Inspection InspectFile(const std::string& path, const FilmWords& words) {
  Inspection found;
  found.file = path;
  absl::Status status;
  try {
    status = Inspect(words, found);
  } catch (const std::exception& error) {
    status = absl::ResourceExhaustedError(error.what());
  }
  found.accepted = status.ok();
  found.reason = std::string(status.message());
  return found;
}

std::string InspectionJson(const Inspection& inspection) {
  nlohmann::ordered_json json;
  json["file"] = inspection.file;
  json["decoded"] = inspection.decoded;
  json["accepted"] = inspection.accepted;
  json["reason"] = inspection.reason;
  json["transfer_syntax"] = TextOrNull(inspection.transfer_syntax);
  json["rows"] = NumberOrNull(inspection.rows);
  json["columns"] = NumberOrNull(inspection.columns);
  json["view"] = TextOrNull(inspection.view);
  json["stored_sha256"] = TextOrNull(inspection.stored_sha256);
  json["notes"] = inspection.notes;
  // File names and headers need not be UTF-8.
  return json.dump(-1, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace hilum
