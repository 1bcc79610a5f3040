// SPDX-License-Identifier: Apache-2.0
#include <openjpeg.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/dicom/frame_decoders.h"
#include "site_agent/imaging/dicom/isolated.h"

namespace hilum {
namespace {

// The state of the C callbacks.
struct Source {
  absl::string_view bytes;
  size_t position = 0;
  std::string reason;
};

OPJ_SIZE_T ReadBytes(void* out, OPJ_SIZE_T wanted, void* data) {
  auto* source = static_cast<Source*>(data);
  const size_t left = source->bytes.size() - source->position;
  if (left == 0) return static_cast<OPJ_SIZE_T>(-1);
  const size_t taken = std::min<size_t>(wanted, left);
  std::memcpy(out, source->bytes.data() + source->position, taken);
  source->position += taken;
  return taken;
}

OPJ_OFF_T SkipBytes(OPJ_OFF_T wanted, void* data) {
  auto* source = static_cast<Source*>(data);
  const auto left =
      static_cast<OPJ_OFF_T>(source->bytes.size() - source->position);
  if (wanted < 0 || wanted > left) return -1;
  source->position += static_cast<size_t>(wanted);
  return wanted;
}

OPJ_BOOL SeekBytes(OPJ_OFF_T to, void* data) {
  auto* source = static_cast<Source*>(data);
  if (to < 0 || static_cast<size_t>(to) > source->bytes.size()) {
    return OPJ_FALSE;
  }
  source->position = static_cast<size_t>(to);
  return OPJ_TRUE;
}

void KeepFirst(const char* message, void* data) {
  auto* source = static_cast<Source*>(data);
  if (!source->reason.empty()) return;
  source->reason = message;
  while (!source->reason.empty() && source->reason.back() == '\n') {
    source->reason.pop_back();
  }
}

using Codec = std::unique_ptr<opj_codec_t, void (*)(opj_codec_t*)>;
using Stream = std::unique_ptr<opj_stream_t, void (*)(opj_stream_t*)>;
using Image = std::unique_ptr<opj_image_t, void (*)(opj_image_t*)>;

Stream OpenStream(Source& source) {
  Stream stream(opj_stream_default_create(OPJ_TRUE), opj_stream_destroy);
  if (stream == nullptr) return stream;
  opj_stream_set_user_data(stream.get(), &source, nullptr);
  opj_stream_set_user_data_length(stream.get(), source.bytes.size());
  opj_stream_set_read_function(stream.get(), ReadBytes);
  opj_stream_set_skip_function(stream.get(), SkipBytes);
  opj_stream_set_seek_function(stream.get(), SeekBytes);
  return stream;
}

// Fails on a warning: data is damaged or missing, and OpenJPEG would fill it
// in. A radiograph must not have invented pixels.
Image Decode(Source& source) {
  Image image(nullptr, opj_image_destroy);
  Codec codec(opj_create_decompress(OPJ_CODEC_J2K), opj_destroy_codec);
  Stream stream = OpenStream(source);
  if (codec == nullptr || stream == nullptr) return image;
  opj_set_warning_handler(codec.get(), KeepFirst, &source);
  opj_set_error_handler(codec.get(), KeepFirst, &source);
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  opj_image_t* raw = nullptr;
  bool ok = opj_setup_decoder(codec.get(), &parameters) &&
            opj_decoder_set_strict_mode(codec.get(), OPJ_TRUE) &&
            opj_read_header(stream.get(), codec.get(), &raw);
  image.reset(raw);
  ok = ok && opj_decode(codec.get(), stream.get(), raw) &&
       opj_end_decompress(codec.get(), stream.get());
  if (!ok || !source.reason.empty()) image.reset();
  return image;
}

// Writes the samples in the layout of PixelFormat. If only the header has
// signed samples, the codestream's bits are two's complement, as common readers
// assume. Returns false for a negative sample where the header says unsigned.
bool Write(const opj_image_t& image, const PixelFormat& format, char* out) {
  const size_t pixels = size_t{image.comps[0].w} * image.comps[0].h;
  for (size_t i = 0; i < pixels; ++i) {
    for (int c = 0; c < format.samples; ++c) {
      const opj_image_comp_t& component = image.comps[c];
      int32_t sample = component.data[i];
      if (sample < 0 && !format.is_signed) return false;
      if (format.is_signed && component.sgnd == 0) {
        const int shift = 32 - static_cast<int>(component.prec);
        sample = static_cast<int32_t>(static_cast<uint32_t>(sample) << shift) >>
                 shift;
      }
      const auto value = static_cast<uint32_t>(sample);
      *out++ = static_cast<char>(value & 0xff);
      if (format.sample_bytes() == 2) {
        *out++ = static_cast<char>(value >> 8 & 0xff);
      }
    }
  }
  return true;
}

constexpr absl::string_view kEndOfCodestream = "\xff\xd9";

// Returns whether the end marker is in its place; a padding byte of 0 may
// follow.
bool HasEndOfCodestream(absl::string_view frame, const Jpeg2000End& end) {
  if (absl::StartsWith(frame.substr(end.at), kEndOfCodestream)) return true;
  const absl::string_view padded("\xff\xd9\0", 3);
  return absl::EndsWith(frame, kEndOfCodestream) ||
         absl::EndsWith(frame, padded);
}

absl::Status DecodeInto(absl::string_view frame, const PixelFormat& format,
                        char* out) {
  Source source{frame};
  Image image = Decode(source);
  if (image == nullptr) return absl::InvalidArgumentError(source.reason);
  if (image->numcomps != static_cast<OPJ_UINT32>(format.samples)) {
    return absl::InvalidArgumentError("number of components");
  }
  for (OPJ_UINT32 c = 0; c < image->numcomps; ++c) {
    const opj_image_comp_t& component = image->comps[c];
    if (component.data == nullptr || component.prec < 1 ||
        component.prec > 32 ||
        component.w != static_cast<OPJ_UINT32>(format.columns) ||
        component.h != static_cast<OPJ_UINT32>(format.rows)) {
      return absl::InvalidArgumentError("size of a component");
    }
  }
  if (Write(*image, format, out)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "negative samples where Pixel Representation (0028,0103) says that there "
      "are none");
}

}  // namespace

absl::Status DecodeJpeg2000Frame(absl::string_view frame,
                                 const PixelFormat& format, std::string& out) {
  HILUM_ASSIGN_OR_RETURN(const Jpeg2000End end,
                         CheckJpeg2000Header(frame, format));
  std::string ended;
  if (!HasEndOfCodestream(frame, end)) {
    if (!end.whole) {
      return absl::InvalidArgumentError(
          "damaged JPEG 2000: no end marker, and not all of its tile parts are "
          "there, as far as can be told");
    }
    // Adds the end marker: some encoders leave it out (ISO 15444-1 A.4.4)
    // although all data is there.
    ended = absl::StrCat(frame.substr(0, end.at), kEndOfCodestream);
    frame = ended;
  }
  // OpenJPEG 2.5.0 has assertions that a damaged HTJ2K codestream violates, and
  // the distribution builds it with assertions on.
  const absl::Status status = RunIsolated(
      format.frame_bytes(),
      [&](char* bytes) { return DecodeInto(frame, format, bytes); }, out);
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat("damaged JPEG 2000: ", status.message()));
}

}  // namespace hilum
