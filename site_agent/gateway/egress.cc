// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/egress.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/unknown_field_set.h"
#include "google/protobuf/wire_format.h"
#include "hilum/v1/egress.pb.h"
#include "site_agent/gateway/egress_limits.h"

namespace hilum {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::internal::WireFormat;
using v1::Egress;

absl::Status Refused(const FieldDescriptor& field, absl::string_view why) {
  return absl::PermissionDeniedError(
      absl::StrCat("not sent: ", field.full_name(), " ", why));
}

bool IsText(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
}

bool IsMessage(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

bool FormatFits(const FieldDescriptor& field, Egress::Format format) {
  switch (format) {
    case Egress::NUMBER:
      return !IsText(field) && !IsMessage(field);
    case Egress::SHA256:
    case Egress::RING32_VECTOR:
    case Egress::PUBLIC_KEY:
    case Egress::SIGNATURE:
    case Egress::SEALED_SHARE:
    case Egress::SHARE:
    case Egress::CHECKSUM:
      return field.type() == FieldDescriptor::TYPE_BYTES;
    case Egress::NAME:
    case Egress::VERSION:
    case Egress::CERTIFICATE:
      return field.type() == FieldDescriptor::TYPE_STRING;
    case Egress::MESSAGE:
      return IsMessage(field);
    default:
      return false;
  }
}

absl::Status CheckAnnotation(const FieldDescriptor& field) {
  if (!field.options().HasExtension(v1::egress)) {
    return Refused(field, "has no egress annotation");
  }
  const Egress& egress = field.options().GetExtension(v1::egress);
  if (egress.class_() == Egress::CLASS_UNSPECIFIED || egress.max_bytes() == 0 ||
      egress.purpose().empty()) {
    return Refused(field,
                   "has an egress annotation without class, max_bytes "
                   "or purpose");
  }
  if (!FormatFits(field, egress.format())) {
    return Refused(field, "has a format that does not fit its type");
  }
  if (field.is_repeated() && (IsText(field) || IsMessage(field)) &&
      !MaxOccurrences(field).has_value()) {
    return Refused(field, "may repeat and has no limit (egress_limits.cc)");
  }
  return absl::OkStatus();
}

bool IsVersion(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '+' || c == '-';
  });
}

bool IsCertificate(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, "-----BEGIN CERTIFICATE-----\n") ||
      !absl::ConsumeSuffix(&text, "-----END CERTIFICATE-----\n")) {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '+' || c == '/' || c == '=' ||
           c == '\n';
  });
}

bool IsShare(const std::string& bytes) {
  if (bytes.size() != 40) return false;
  for (size_t at = 0; at < bytes.size(); at += 8) {
    uint64_t number;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    if (number >= (uint64_t{1} << 61) - 1) return false;
  }
  return true;
}

// Whether `bytes` is a number below the prime 2^127 - 1, little-endian.
bool IsChecksum(const std::string& bytes) {
  return bytes.size() == 16 && (bytes[15] & 0x80) == 0 &&
         bytes != std::string(15, '\xff') + '\x7f';
}

bool FitsFormat(Egress::Format format, const std::string& value) {
  switch (format) {
    case Egress::SHA256:
    case Egress::PUBLIC_KEY:
      return value.size() == 32;
    case Egress::NAME:
      return IsValidName(value);
    case Egress::VERSION:
      return IsVersion(value);
    case Egress::RING32_VECTOR:
      return value.size() % sizeof(uint32_t) == 0;
    case Egress::CERTIFICATE:
      return IsCertificate(value);
    case Egress::SIGNATURE:
      return value.size() >= 8 && value[0] == 0x30;
    case Egress::SEALED_SHARE:
      return value.size() == 96;
    case Egress::SHARE:
      return IsShare(value);
    case Egress::CHECKSUM:
      return IsChecksum(value);
    default:
      return false;
  }
}

absl::Status CheckText(const FieldDescriptor& field, const Egress& egress,
                       const std::string& value) {
  if (value.size() > egress.max_bytes()) {
    return Refused(field,
                   absl::StrCat("has ", value.size(), " bytes, may have ",
                                egress.max_bytes()));
  }
  if (value.empty() || FitsFormat(egress.format(), value)) {
    return absl::OkStatus();
  }
  return Refused(field, absl::StrCat("does not hold what it may: ",
                                     Egress::Format_Name(egress.format())));
}

absl::Status CheckField(const Message& message, const FieldDescriptor& field) {
  HILUM_RETURN_IF_ERROR(CheckAnnotation(field));
  const Egress& egress = field.options().GetExtension(v1::egress);
  const Reflection& values = *message.GetReflection();
  if (!IsText(field) && !IsMessage(field)) {
    size_t bytes = WireFormat::FieldDataOnlyByteSize(&field, message);
    if (bytes <= egress.max_bytes()) return absl::OkStatus();
    return Refused(field, absl::StrCat("has ", bytes, " bytes, may have ",
                                       egress.max_bytes()));
  }
  int count = field.is_repeated() ? values.FieldSize(message, &field) : 1;
  if (field.is_repeated() && count > *MaxOccurrences(field)) {
    return Refused(field, absl::StrCat("occurs ", count, " times, may occur ",
                                       *MaxOccurrences(field)));
  }
  for (int i = 0; i < count; ++i) {
    if (IsText(field)) {
      std::string scratch;
      const std::string& value =
          field.is_repeated()
              ? values.GetRepeatedStringReference(message, &field, i, &scratch)
              : values.GetStringReference(message, &field, &scratch);
      HILUM_RETURN_IF_ERROR(CheckText(field, egress, value));
      continue;
    }
    const Message& inner = field.is_repeated()
                               ? values.GetRepeatedMessage(message, &field, i)
                               : values.GetMessage(message, &field);
    if (inner.ByteSizeLong() > egress.max_bytes()) {
      return Refused(
          field, absl::StrCat("has ", inner.ByteSizeLong(), " bytes, may have ",
                              egress.max_bytes()));
    }
    HILUM_RETURN_IF_ERROR(CheckEgress(inner));
  }
  return absl::OkStatus();
}

absl::Status CheckTypes(const Descriptor& type,
                        std::set<const Descriptor*>& seen) {
  if (!seen.insert(&type).second) return absl::OkStatus();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    HILUM_RETURN_IF_ERROR(CheckAnnotation(field));
    if (IsMessage(field)) {
      HILUM_RETURN_IF_ERROR(CheckTypes(*field.message_type(), seen));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckEgress(const Message& message) {
  const Reflection& values = *message.GetReflection();
  if (!values.GetUnknownFields(message).empty()) {
    return absl::PermissionDeniedError(
        absl::StrCat("not sent: ", message.GetDescriptor()->full_name(),
                     " holds fields that this build does not know"));
  }
  const auto most = MaxMessageBytes(*message.GetDescriptor());
  if (most.has_value() && message.ByteSizeLong() > *most) {
    return absl::PermissionDeniedError(absl::StrCat(
        "not sent: ", message.GetDescriptor()->full_name(), " has ",
        message.ByteSizeLong(), " bytes, may have ", *most));
  }
  std::vector<const FieldDescriptor*> fields;
  values.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    HILUM_RETURN_IF_ERROR(CheckField(message, *field));
  }
  return absl::OkStatus();
}

absl::Status CheckAnnotations(const Descriptor& type) {
  std::set<const Descriptor*> seen;
  return CheckTypes(type, seen);
}

}  // namespace hilum
