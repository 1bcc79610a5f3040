// SPDX-License-Identifier: Apache-2.0
#include "common/model/safetensors.h"

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "common/model/blobs.h"

namespace hilum {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMaxHeaderBytes = 100'000'000;

absl::Status Bad(const std::string& path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", what));
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

// Where each tensor lies among the data bytes.
struct Entry {
  std::vector<int64_t> shape;
  uint64_t begin;
  uint64_t end;
};

// A value of the header, whatever type it turns out to have.
absl::StatusOr<Entry> ReadEntry(const std::string& path,
                                const std::string& name, const Json& json,
                                uint64_t data_bytes) {
  auto bad = [&](absl::string_view what) {
    return Bad(path, absl::StrCat("tensor ", name, ": ", what));
  };
  if (!json.is_object() || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets")) {
    return bad("dtype, shape or data_offsets missing");
  }
  if (json["dtype"] != "F32") return bad("not float32 (F32); convert it first");
  const Json& shape = json["shape"];
  const Json& offsets = json["data_offsets"];
  if (!shape.is_array() || shape.size() > 8 || !offsets.is_array() ||
      offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned()) {
    return bad("a shape or offsets that are none");
  }
  Entry entry{.begin = offsets[0].get<uint64_t>(),
              .end = offsets[1].get<uint64_t>()};
  uint64_t elements = 1;
  for (const Json& side : shape) {
    if (!side.is_number_unsigned() || side.get<uint64_t>() > (1u << 30)) {
      return bad("a shape that is none");
    }
    entry.shape.push_back(side.get<int64_t>());
    elements *= side.get<uint64_t>();
    if (elements > data_bytes / 4) return bad("larger than the file");
  }
  if (entry.end < entry.begin || entry.end > data_bytes ||
      entry.end - entry.begin != elements * 4) {
    return bad("offsets that do not fit its shape or the file");
  }
  return entry;
}

absl::StatusOr<std::map<std::string, Entry>> ReadEntries(
    const std::string& path, const Json& header, uint64_t data_bytes) {
  std::map<std::string, Entry> entries;
  std::map<uint64_t, uint64_t> extents;
  for (const auto& [name, json] : header.items()) {
    if (name == "__metadata__") continue;
    HILUM_ASSIGN_OR_RETURN(Entry entry,
                           ReadEntry(path, name, json, data_bytes));
    if (entry.begin < entry.end &&
        !extents.emplace(entry.begin, entry.end).second) {
      return Bad(path, "tensors overlap");
    }
    entries.emplace(name, std::move(entry));
  }
  uint64_t at = 0;
  for (const auto& [begin, end] : extents) {
    if (begin != at) return Bad(path, "tensors overlap or leave a hole");
    at = end;
  }
  if (at != data_bytes) return Bad(path, "bytes that belong to no tensor");
  return entries;
}

absl::Status Compare(const std::string& path, const Architecture& architecture,
                     const std::map<std::string, Entry>& entries) {
  std::vector<std::string> faults;
  std::map<std::string, const TensorSpec*> wanted;
  for (const TensorSpec& spec : architecture.tensors) {
    wanted[spec.name] = &spec;
    auto found = entries.find(spec.name);
    if (found == entries.end()) {
      faults.push_back(absl::StrCat(spec.name, " is missing"));
    } else if (found->second.shape != spec.shape) {
      faults.push_back(absl::StrCat(spec.name, " has shape ",
                                    ShapeText(found->second.shape), ", not ",
                                    ShapeText(spec.shape)));
    }
  }
  for (const auto& [name, entry] : entries) {
    if (!wanted.contains(name)) {
      faults.push_back(absl::StrCat(name, " is unknown"));
    }
  }
  if (faults.empty()) return absl::OkStatus();
  return Bad(path, absl::StrCat("not the tensors of ", architecture.name, ": ",
                                absl::StrJoin(faults, "; ")));
}

absl::StatusOr<Json> ParseHeader(const std::string& path,
                                 const std::string& text) {
  // The parser keeps the last of two equal names; the format allows none.
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
  Json header = Json::parse(text, see, /*allow_exceptions=*/false);
  if (!header.is_object()) {
    return Bad(path, "not a safetensors file: its header is no JSON object");
  }
  if (twice) return Bad(path, "a name is twice in the header");
  return header;
}

}  // namespace

absl::StatusOr<std::vector<float>> ReadSafetensors(
    const std::string& path, const Architecture& architecture) {
  HILUM_ASSIGN_OR_RETURN(std::string file, ReadFile(path));
  uint64_t header_bytes = 0;
  if (file.size() < 8) return Bad(path, "not a safetensors file: too short");
  std::memcpy(&header_bytes, file.data(), 8);
  if (header_bytes > kMaxHeaderBytes || header_bytes > file.size() - 8) {
    return Bad(path, "not a safetensors file: its header length is absurd");
  }
  HILUM_ASSIGN_OR_RETURN(Json header,
                         ParseHeader(path, file.substr(8, header_bytes)));
  absl::string_view data = absl::string_view(file).substr(8 + header_bytes);
  using Entries = std::map<std::string, Entry>;
  HILUM_ASSIGN_OR_RETURN(Entries entries,
                         ReadEntries(path, header, data.size()));
  HILUM_RETURN_IF_ERROR(Compare(path, architecture, entries));
  std::vector<float> values;
  for (const TensorSpec& spec : architecture.tensors) {
    const Entry& entry = entries.at(spec.name);
    size_t start = values.size();
    values.resize(start + static_cast<size_t>(spec.size()));
    std::memcpy(values.data() + start, data.data() + entry.begin,
                entry.end - entry.begin);
    for (size_t i = start; i < values.size(); ++i) {
      if (!std::isfinite(values[i])) {
        return Bad(path, absl::StrCat("tensor ", spec.name,
                                      " holds NaN or infinity at element ",
                                      i - start));
      }
    }
  }
  return values;
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
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  uint64_t header_bytes = text.size();
  std::string file(reinterpret_cast<const char*>(&header_bytes), 8);
  file += text;
  absl::string_view data = BlobBytes(values);
  file.append(data.data(), data.size());
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(path, file));
  return Sha256Of(file);
}

}  // namespace hilum
