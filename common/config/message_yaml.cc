// SPDX-License-Identifier: Apache-2.0
#include "common/config/message_yaml.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hilum {
namespace {

// Returns the fewest digits that read back as the same number: 0.1, not
// 0.10000000000000001.
std::string ShortestOf(double value) {
  for (int digits = 1; digits < 17; ++digits) {
    std::string text = absl::StrFormat("%.*g", digits, value);
    double read = 0;
    if (absl::SimpleAtod(text, &read) && read == value) return text;
  }
  return absl::StrFormat("%.17g", value);
}

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Returns `text` in double quotes, with YAML's escapes.
std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (unsigned char c : text) {
    if (c == '"' || c == '\\') {
      absl::StrAppend(&quoted, "\\", std::string(1, c));
    } else if (c < 0x20 || c == 0x7f) {
      absl::StrAppendFormat(&quoted, "\\x%02x", c);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

// Returns the value's name in lower case, without the prefix that all values of
// the enum share.
std::string EnumText(const EnumValueDescriptor& value) {
  std::string prefix = value.name();
  for (int i = 0; i < value.type()->value_count(); ++i) {
    const std::string& other = value.type()->value(i)->name();
    const auto ends =
        std::mismatch(prefix.begin(), prefix.end(), other.begin(), other.end());
    prefix.erase(ends.first, prefix.end());
  }
  const size_t cut = prefix.rfind('_');
  return absl::AsciiStrToLower(
      value.name().substr(cut == std::string::npos ? 0 : cut + 1));
}

// `index` -1: the field is not repeated.
std::string ScalarText(const Message& message, const FieldDescriptor& field,
                       int index) {
  const Reflection& r = *message.GetReflection();
  const bool one = index < 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(one ? r.GetUInt32(message, &field)
                              : r.GetRepeatedUInt32(message, &field, index));
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(one ? r.GetUInt64(message, &field)
                              : r.GetRepeatedUInt64(message, &field, index));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return ShortestOf(one ? r.GetDouble(message, &field)
                            : r.GetRepeatedDouble(message, &field, index));
    case FieldDescriptor::CPPTYPE_BOOL:
      return (one ? r.GetBool(message, &field)
                  : r.GetRepeatedBool(message, &field, index))
                 ? "true"
                 : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumText(one ? *r.GetEnum(message, &field)
                          : *r.GetRepeatedEnum(message, &field, index));
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text =
          one ? r.GetString(message, &field)
              : r.GetRepeatedString(message, &field, index);
      return field.type() == FieldDescriptor::TYPE_BYTES
                 ? absl::StrCat("\"", absl::BytesToHexString(text), "\"")
                 : Quoted(text);
    }
    default:
      return "";
  }
}

void AppendFields(const Message& message, int depth, std::string& out);

// Appends a block sequence: each message behind a dash.
void AppendMessages(const Message& message, const FieldDescriptor& field,
                    int depth, std::string& out) {
  const Reflection& r = *message.GetReflection();
  for (int i = 0; i < r.FieldSize(message, &field); ++i) {
    std::string body;
    AppendFields(r.GetRepeatedMessage(message, &field, i), depth + 1, body);
    const size_t indent = 2 * static_cast<size_t>(depth);
    if (body.empty()) {
      absl::StrAppend(&out, std::string(indent, ' '), "- {}\n");
      continue;
    }
    body[indent] = '-';
    out += body;
  }
}

void AppendFields(const Message& message, int depth, std::string& out) {
  const Reflection& r = *message.GetReflection();
  const std::string indent(2 * depth, ' ');
  std::vector<const FieldDescriptor*> fields;
  r.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    absl::StrAppend(&out, indent, field->name(), ":");
    const bool holds_messages =
        field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (field->is_repeated() && holds_messages) {
      out += '\n';
      AppendMessages(message, *field, depth + 1, out);
    } else if (field->is_repeated()) {
      out += " [";
      for (int i = 0; i < r.FieldSize(message, field); ++i) {
        absl::StrAppend(&out, i > 0 ? ", " : "",
                        ScalarText(message, *field, i));
      }
      out += "]\n";
    } else if (holds_messages) {
      const Message& child = r.GetMessage(message, field);
      std::string body;
      AppendFields(child, depth + 1, body);
      absl::StrAppend(&out, body.empty() ? " {}" : "", "\n", body);
    } else {
      absl::StrAppend(&out, " ", ScalarText(message, *field, -1), "\n");
    }
  }
}

}  // namespace

std::string MessageToYaml(const Message& message) {
  std::string out;
  AppendFields(message, 0, out);
  return out;
}

}  // namespace hilum
