// SPDX-License-Identifier: Apache-2.0
#include "common/config/yaml.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "common/base/file.h"
#include "common/base/hex.h"
#include "common/base/nearest.h"
#include "common/base/status_macros.h"
#include "common/config/set_field.h"
#include "google/protobuf/descriptor.h"

namespace hilum {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Returns the names of an enum's values without the prefix they all share:
// `whole` for ARM_WHOLE. The zero value ("not given") has no name.
std::vector<std::string> ValueNames(const EnumDescriptor& type) {
  std::string prefix = type.value(0)->name();
  for (int i = 1; i < type.value_count(); ++i) {
    const std::string& name = type.value(i)->name();
    size_t same = 0;
    while (same < std::min(prefix.size(), name.size()) &&
           prefix[same] == name[same]) {
      ++same;
    }
    prefix.resize(same);
  }
  size_t cut = prefix.rfind('_');
  size_t strip = cut == std::string::npos ? 0 : cut + 1;
  std::vector<std::string> names;
  for (int i = 1; i < type.value_count(); ++i) {
    names.push_back(absl::AsciiStrToLower(type.value(i)->name().substr(strip)));
  }
  return names;
}

class Filler {
 public:
  // `has_lines`: false where `file_name` is a typed option and no file.
  Filler(absl::string_view file_name, FieldPlaces* places,
         bool has_lines = true)
      : file_(file_name), places_(places), has_lines_(has_lines) {}

  // `path`: the field that holds the message, with a dot; empty: top level.
  absl::Status Fill(const YAML::Node& node, const std::string& path,
                    Message* message) {
    if (node.IsNull()) return absl::OkStatus();
    if (!node.IsMap()) {
      return Error(node.Mark(), "expected `name: value` lines here");
    }
    const Descriptor* type = message->GetDescriptor();
    std::set<std::string> seen;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) {
        return Error(entry.first.Mark(), "a field's name must be a word");
      }
      const std::string& name = entry.first.Scalar();
      const FieldDescriptor* field = type->FindFieldByName(name);
      if (field == nullptr) return Unknown(entry.first, *type);
      if (!seen.insert(name).second) {
        return Error(entry.first.Mark(),
                     absl::StrCat("'", name, "' is given twice"));
      }
      const YAML::Mark mark = entry.first.Mark();
      if (places_ != nullptr) {
        places_->Add(path + name, mark.line + 1, mark.column + 1);
      }
      HILUM_RETURN_IF_ERROR(FillField(entry.second, field, path, message));
    }
    return absl::OkStatus();
  }

  absl::Status Error(const YAML::Mark& mark, absl::string_view what) const {
    if (mark.line < 0 || !has_lines_) {
      return absl::InvalidArgumentError(absl::StrCat(file_, ": ", what));
    }
    return absl::InvalidArgumentError(absl::StrCat(
        file_, ":", mark.line + 1, ":", mark.column + 1, ": ", what));
  }

 private:
  absl::Status Unknown(const YAML::Node& key, const Descriptor& type) const {
    std::vector<std::string> known;
    for (int i = 0; i < type.field_count(); ++i) {
      known.push_back(type.field(i)->name());
    }
    std::string nearest = NearestName(key.Scalar(), known);
    return Error(
        key.Mark(),
        absl::StrCat(
            "unknown field '", key.Scalar(), "'",
            nearest.empty()
                ? absl::StrCat("; known here: ", absl::StrJoin(known, ", "))
                : absl::StrCat("; did you mean '", nearest, "'?")));
  }

  absl::Status FillField(const YAML::Node& node, const FieldDescriptor* field,
                         const std::string& path, Message* message) {
    if (!field->is_repeated()) return FillValue(node, field, path, message);
    if (!node.IsSequence()) {
      return Error(node.Mark(),
                   absl::StrCat("'", field->name(), "' must be a list"));
    }
    int index = 0;
    for (const auto& item : node) {
      HILUM_RETURN_IF_ERROR(FillItem(item, field, index++, path, message));
    }
    return absl::OkStatus();
  }

  // Messages in a list have places of their own: "peers[0].site".
  absl::Status FillItem(const YAML::Node& item, const FieldDescriptor* field,
                        int index, const std::string& path, Message* message) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      return FillValue(item, field, path, message);
    }
    const std::string place =
        absl::StrCat(path, field->name(), "[", index, "]");
    const YAML::Mark mark = item.Mark();
    if (places_ != nullptr && mark.line >= 0) {
      places_->Add(place, mark.line + 1, mark.column + 1);
    }
    return Fill(item, absl::StrCat(place, "."),
                message->GetReflection()->AddMessage(message, field));
  }

  absl::Status FillValue(const YAML::Node& node, const FieldDescriptor* field,
                         const std::string& path, Message* message) {
    const Reflection* to = message->GetReflection();
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      return Fill(node, absl::StrCat(path, field->name(), "."),
                  to->MutableMessage(message, field));
    }
    if (!node.IsScalar()) {
      return Error(node.Mark(), absl::StrCat("'", field->name(),
                                             "' must be a single value"));
    }
    const std::string& text = node.Scalar();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_UINT32:
      case FieldDescriptor::CPPTYPE_UINT64:
        return FillUnsigned(node, field, message);
      case FieldDescriptor::CPPTYPE_DOUBLE: {
        double value = 0;
        if (!absl::SimpleAtod(text, &value))
          return Wrong(node, field, "number");
        to->SetDouble(message, field, value);
        return absl::OkStatus();
      }
      case FieldDescriptor::CPPTYPE_BOOL:
        if (text != "true" && text != "false") {
          return Wrong(node, field, "boolean (true or false)");
        }
        to->SetBool(message, field, text == "true");
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_ENUM:
        return FillEnum(node, field, message);
      case FieldDescriptor::CPPTYPE_STRING:
        return FillString(node, field, message);
      default:
        return Wrong(node, field, "type that a file can give");
    }
  }

  absl::Status FillUnsigned(const YAML::Node& node,
                            const FieldDescriptor* field, Message* message) {
    uint64_t value = 0;
    bool is_32 = field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32;
    if (!absl::SimpleAtoi(node.Scalar(), &value) ||
        (is_32 && value > std::numeric_limits<uint32_t>::max())) {
      return Wrong(node, field, "whole number, 0 or more");
    }
    const Reflection* to = message->GetReflection();
    if (is_32) {
      to->SetUInt32(message, field, static_cast<uint32_t>(value));
    } else {
      to->SetUInt64(message, field, value);
    }
    return absl::OkStatus();
  }

  absl::Status FillEnum(const YAML::Node& node, const FieldDescriptor* field,
                        Message* message) {
    std::vector<std::string> names = ValueNames(*field->enum_type());
    auto found = std::find(names.begin(), names.end(), node.Scalar());
    if (found == names.end()) {
      return Wrong(node, field,
                   absl::StrCat("choice of: ", absl::StrJoin(names, ", ")));
    }
    const auto* value =
        field->enum_type()->value(static_cast<int>(found - names.begin()) + 1);
    if (field->is_repeated()) {
      message->GetReflection()->AddEnum(message, field, value);
    } else {
      message->GetReflection()->SetEnum(message, field, value);
    }
    return absl::OkStatus();
  }

  absl::Status FillString(const YAML::Node& node, const FieldDescriptor* field,
                          Message* message) {
    std::string value = node.Scalar();
    if (field->type() == FieldDescriptor::TYPE_BYTES) {
      const std::optional<std::string> bytes = FromHex(value);
      if (!bytes) return Wrong(node, field, "string of hexadecimal digits");
      value = *bytes;
    } else if (!google::protobuf::internal::IsStructurallyValidUTF8(
                   value.data(), static_cast<int>(value.size()))) {
      // MessageToYaml would write it as bytes that nobody can read.
      return Error(node.Mark(),
                   absl::StrCat("'", field->name(), "' is not UTF-8 text"));
    }
    if (field->is_repeated()) {
      message->GetReflection()->AddString(message, field, value);
    } else {
      message->GetReflection()->SetString(message, field, value);
    }
    return absl::OkStatus();
  }

  absl::Status Wrong(const YAML::Node& node, const FieldDescriptor* field,
                     absl::string_view wanted) const {
    return Error(node.Mark(),
                 absl::StrCat("'", field->name(), "' is '", node.Scalar(),
                              "', must be a ", wanted));
  }

  std::string file_;
  FieldPlaces* places_;  // null: places are not needed
  const bool has_lines_;
};

// Empties the field at `path`, if it exists, so that a new list has no old
// items; Filler reports wrong paths.
void ClearField(absl::Span<const std::string> path, Message* message) {
  const FieldDescriptor* field =
      message->GetDescriptor()->FindFieldByName(path[0]);
  if (field == nullptr) return;
  const Reflection* to = message->GetReflection();
  if (path.size() == 1) {
    to->ClearField(message, field);
  } else if (!field->is_repeated() &&
             field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    ClearField(path.subspan(1), to->MutableMessage(message, field));
  }
}

}  // namespace

void FieldPlaces::Add(const std::string& path, int line, int column) {
  places_[path] = absl::StrCat(line, ":", column);
}

std::string FieldPlaces::Of(absl::string_view path) const {
  for (std::string around(path); !around.empty();) {
    auto found = places_.find(around);
    if (found != places_.end()) return absl::StrCat(file_, ":", found->second);
    size_t dot = around.rfind('.');
    around.resize(dot == std::string::npos ? 0 : dot);
  }
  return file_;
}

absl::Status ParseYaml(absl::string_view text, absl::string_view file_name,
                       Message* message, FieldPlaces* places) {
  Filler filler(file_name, places);
  try {
    return filler.Fill(YAML::Load(std::string(text)), "", message);
  } catch (const YAML::Exception& error) {
    return filler.Error(error.mark, absl::StrCat("not YAML: ", error.msg));
  }
}

absl::Status SetYamlField(absl::string_view assignment,
                          absl::string_view option, Message* message) {
  const std::string typed = absl::StrCat(option, " ", assignment);
  const Filler faults(typed, nullptr, /*has_lines=*/false);
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(assignment, absl::MaxSplits('=', 1));
  const std::vector<std::string> path = absl::StrSplit(parts.first, '.');
  if (!absl::StrContains(assignment, '=') ||
      std::count(path.begin(), path.end(), "") > 0) {
    return faults.Error(YAML::Mark::null_mark(),
                        "must be FIELD=VALUE, as training.rounds=3");
  }
  try {
    YAML::Node node = YAML::Load(parts.second);
    for (auto name = path.rbegin(); name != path.rend(); ++name) {
      YAML::Node around;
      around[*name] = node;
      node.reset(around);
    }
    ClearField(path, message);
    HILUM_RETURN_IF_ERROR(
        Filler(typed, nullptr, /*has_lines=*/false).Fill(node, "", message));
  } catch (const YAML::Exception& error) {
    return faults.Error(error.mark, absl::StrCat("not YAML: ", error.msg));
  }
  return absl::OkStatus();
}

absl::Status LoadYamlFile(const std::string& path, Message* message,
                          FieldPlaces* places) {
  HILUM_ASSIGN_OR_RETURN(std::string text, ReadFile(path, 1 << 20));
  return ParseYaml(text, path, message, places);
}

}  // namespace hilum
