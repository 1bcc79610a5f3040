// SPDX-License-Identifier: Apache-2.0
#include "common/model/safetensors.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/mapped_file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "common/model/blobs.h"
#include "common/model/fit.h"

namespace hilum {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMaxHeaderBytes = 100'000'000;

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(what);
}

const ElementTypeInfo* TypeOf(absl::string_view dtype) {
  for (const ElementTypeInfo& info : ElementTypes()) {
    if (info.safetensors == dtype) return &info;
  }
  return nullptr;
}

// Reads a header value, which may have any type.
absl::StatusOr<TensorView> ReadEntry(const std::string& name, const Json& json,
                                     absl::string_view data) {
  auto bad = [&](absl::string_view what) {
    return Bad(absl::StrCat("tensor ", Shown(name), ": ", what));
  };
  if (!json.is_object() || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets") || !json["dtype"].is_string()) {
    return bad("dtype, shape or data_offsets missing");
  }
  const ElementTypeInfo* type = TypeOf(json["dtype"].get<std::string>());
  if (type == nullptr) return bad("a type that is not taken");
  const Json& shape = json["shape"];
  const Json& offsets = json["data_offsets"];
  if (!shape.is_array() || shape.size() > 8 || !offsets.is_array() ||
      offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned()) {
    return bad("a shape or offsets that are none");
  }
  TensorView view{.type = type->type};
  uint64_t elements = 1;
  for (const Json& side : shape) {
    if (!side.is_number_unsigned() || side.get<uint64_t>() > (1u << 30)) {
      return bad("a shape that is none");
    }
    view.shape.push_back(side.get<int64_t>());
    elements *= side.get<uint64_t>();
    if (elements > data.size() / type->size) return bad("larger than the file");
  }
  const uint64_t begin = offsets[0].get<uint64_t>();
  const uint64_t end = offsets[1].get<uint64_t>();
  if (end < begin || end > data.size() ||
      end - begin != elements * type->size) {
    return bad("offsets that do not fit its shape or the file");
  }
  view.strides = RowMajorStrides(view.shape);
  view.storage = data.substr(begin, end - begin);
  return view;
}

std::map<std::string, std::string> ReadMetadata(const Json& json) {
  std::map<std::string, std::string> metadata;
  if (!json.is_object()) return metadata;
  for (const auto& [key, value] : json.items()) {
    if (value.is_string()) metadata[key] = value.get<std::string>();
  }
  return metadata;
}

// Rejects holes and overlaps, which the format does not allow.
absl::Status CheckExtents(const std::vector<NamedTensor>& tensors,
                          absl::string_view data) {
  std::vector<absl::string_view> extents;
  for (const NamedTensor& tensor : tensors) {
    if (!tensor.view.storage.empty()) extents.push_back(tensor.view.storage);
  }
  std::sort(extents.begin(), extents.end(),
            [](absl::string_view a, absl::string_view b) {
              return a.data() < b.data();
            });
  const char* at = data.data();
  for (absl::string_view extent : extents) {
    if (extent.data() != at) return Bad("tensors overlap or leave a hole");
    at += extent.size();
  }
  if (at == data.data() + data.size()) return absl::OkStatus();
  return Bad("bytes that belong to no tensor");
}

absl::StatusOr<Json> ParseHeader(absl::string_view text) {
  // The parser keeps the last of two equal names; the format forbids them.
  bool twice = false;
  std::vector<std::map<std::string, bool>> levels;
  auto see = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) levels.emplace_back();
    if (event == Json::parse_event_t::object_end) levels.pop_back();
    if (event == Json::parse_event_t::key && !levels.empty()) {
      twice |= !levels.back().emplace(parsed.get<std::string>(), true).second;
    }
    return true;
  };
  Json header = Json::parse(text.begin(), text.end(), see,
                            /*allow_exceptions=*/false);
  if (!header.is_object()) {
    return Bad("not a safetensors file: its header is no JSON object");
  }
  if (twice) return Bad("a name is twice in the header");
  return header;
}

// The data begins at a multiple of eight bytes.
std::string PaddedText(const Json& header) {
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

bool IsSafetensors(absl::string_view bytes) {
  uint64_t header_bytes = 0;
  if (bytes.size() < 9) return false;
  std::memcpy(&header_bytes, bytes.data(), 8);
  return header_bytes <= bytes.size() - 8 && bytes[8] == '{';
}

absl::StatusOr<WeightsContent> ParseSafetensors(absl::string_view bytes) {
  uint64_t header_bytes = 0;
  if (bytes.size() < 8) return Bad("not a safetensors file: too short");
  std::memcpy(&header_bytes, bytes.data(), 8);
  if (header_bytes > kMaxHeaderBytes || header_bytes > bytes.size() - 8) {
    return Bad("not a safetensors file: its header length is absurd");
  }
  HILUM_ASSIGN_OR_RETURN(Json header,
                         ParseHeader(bytes.substr(8, header_bytes)));
  const absl::string_view data = bytes.substr(8 + header_bytes);
  WeightsContent content;
  for (const auto& [name, json] : header.items()) {
    if (name == "__metadata__") {
      content.metadata = ReadMetadata(json);
      continue;
    }
    HILUM_ASSIGN_OR_RETURN(TensorView view, ReadEntry(name, json, data));
    content.tensors.push_back({name, std::move(view)});
  }
  HILUM_RETURN_IF_ERROR(CheckExtents(content.tensors, data));
  return content;
}

absl::StatusOr<std::vector<float>> ReadSafetensors(
    const std::string& path, const Architecture& architecture) {
  HILUM_ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path));
  absl::StatusOr<std::vector<float>> values;
  absl::StatusOr<WeightsContent> content = ParseSafetensors(file.bytes());
  if (content.ok()) {
    values = FitWeights(content->tensors, architecture, {});
  } else {
    values = content.status();
  }
  if (values.ok()) return values;
  return absl::Status(values.status().code(),
                      absl::StrCat(path, ": ", values.status().message()));
}

absl::StatusOr<std::string> WriteSafetensors(
    const std::string& path, const Architecture& architecture,
    absl::Span<const float> values,
    const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  header["__metadata__"] = metadata;
  uint64_t at = 0;
  for (const TensorSpec& spec : architecture.tensors) {
    uint64_t end = at + static_cast<uint64_t>(spec.size()) * 4;
    header[spec.name] = {
        {"dtype", "F32"}, {"shape", spec.shape}, {"data_offsets", {at, end}}};
    at = end;
  }
  if (at != values.size() * 4) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", values.size(), " values for ",
                     architecture.name, ", which has ", at / 4));
  }
  const std::string text = PaddedText(header);
  uint64_t header_bytes = text.size();
  const absl::string_view pieces[] = {
      absl::string_view(reinterpret_cast<const char*>(&header_bytes), 8), text,
      BlobBytes(values)};
  HILUM_RETURN_IF_ERROR(WritePiecesAtomically(path, pieces));
  Sha256 digest;
  for (absl::string_view piece : pieces) digest.Update(piece);
  return digest.Finish();
}

absl::StatusOr<std::string> WithMetadata(
    absl::string_view bytes,
    const std::map<std::string, std::string>& metadata) {
  HILUM_RETURN_IF_ERROR(ParseSafetensors(bytes).status());
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), 8);
  HILUM_ASSIGN_OR_RETURN(Json header,
                         ParseHeader(bytes.substr(8, header_bytes)));
  header["__metadata__"] = metadata;
  const std::string text = PaddedText(header);
  const uint64_t size = text.size();
  return absl::StrCat(
      absl::string_view(reinterpret_cast<const char*>(&size), sizeof size),
      text, bytes.substr(8 + header_bytes));
}

}  // namespace hilum
