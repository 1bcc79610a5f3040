// SPDX-License-Identifier: Apache-2.0
// Codestreams without their end, or with another sign than the header.
#include <openjpeg.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/dicom/frame_decoders.h"

namespace hilum {
namespace {

constexpr int kSide = 16;

OPJ_SIZE_T Append(void* from, OPJ_SIZE_T size, void* to) {
  static_cast<std::string*>(to)->append(static_cast<char*>(from), size);
  return size;
}

OPJ_OFF_T Skip(OPJ_OFF_T size, void* to) {
  static_cast<std::string*>(to)->append(static_cast<size_t>(size), '\0');
  return size;
}

OPJ_BOOL Seek(OPJ_OFF_T, void*) { return OPJ_TRUE; }

// Compresses samples, [kSide * kSide], without loss.
std::string Compress(const std::vector<int>& samples, int bits, bool is_signed,
                     int tile = kSide) {
  opj_image_cmptparm_t component = {};
  component.dx = component.dy = 1;
  component.w = component.h = kSide;
  component.prec = static_cast<OPJ_UINT32>(bits);
  component.sgnd = is_signed;
  opj_image_t* image = opj_image_create(1, &component, OPJ_CLRSPC_GRAY);
  image->x1 = image->y1 = kSide;
  std::memcpy(image->comps[0].data, samples.data(),
              samples.size() * sizeof(OPJ_INT32));
  opj_cparameters_t parameters;
  opj_set_default_encoder_parameters(&parameters);
  parameters.numresolution = 3;
  parameters.tcp_numlayers = 1;
  parameters.cp_disto_alloc = 1;
  parameters.tile_size_on = tile < kSide;
  parameters.cp_tdx = parameters.cp_tdy = tile;
  opj_codec_t* codec = opj_create_compress(OPJ_CODEC_J2K);
  std::string out;
  opj_stream_t* stream = opj_stream_default_create(OPJ_FALSE);
  opj_stream_set_user_data(stream, &out, nullptr);
  opj_stream_set_write_function(stream, Append);
  opj_stream_set_skip_function(stream, Skip);
  opj_stream_set_seek_function(stream, Seek);
  EXPECT_TRUE(opj_setup_encoder(codec, &parameters, image) &&
              opj_start_compress(codec, image, stream) &&
              opj_encode(codec, stream) && opj_end_compress(codec, stream));
  opj_stream_destroy(stream);
  opj_destroy_codec(codec);
  opj_image_destroy(image);
  return out;
}

PixelFormat Header(int bits, bool is_signed) {
  PixelFormat format;
  format.rows = format.columns = kSide;
  format.bits_allocated = 16;
  format.bits_stored = bits;
  format.high_bit = bits - 1;
  format.is_signed = is_signed;
  format.photometric = "MONOCHROME2";
  return format;
}

// Returns values from `first` on, every `step`.
std::vector<int> Ramp(int first, int step) {
  std::vector<int> samples;
  for (int i = 0; i < kSide * kSide; ++i) samples.push_back(first + i * step);
  return samples;
}

std::vector<int> Decode(const std::string& frame, const PixelFormat& format) {
  std::string out;
  const absl::Status status = DecodeJpeg2000Frame(frame, format, out);
  EXPECT_TRUE(status.ok()) << status;
  std::vector<int> samples;
  for (size_t i = 0; i + 1 < out.size(); i += 2) {
    const int low = static_cast<uint8_t>(out[i]);
    const int word = low | static_cast<uint8_t>(out[i + 1]) << 8;
    samples.push_back(format.is_signed ? static_cast<int16_t>(word) : word);
  }
  return samples;
}

TEST(DecodeJpeg2000Test, AStreamWithoutItsEndMarkerIsWhole) {
  const std::vector<int> samples = Ramp(0, 16);
  const std::string whole = Compress(samples, 12, false);
  ASSERT_TRUE(absl::EndsWith(whole, "\xff\xd9"));
  const PixelFormat format = Header(12, false);
  EXPECT_EQ(Decode(whole, format), samples);
  const std::string bare = whole.substr(0, whole.size() - 2);
  EXPECT_EQ(Decode(bare, format), samples);
  // DICOM makes the length even.
  EXPECT_EQ(Decode(bare + std::string(1, '\0'), format), samples);
  // One byte less cuts a part of the picture.
  std::string out;
  EXPECT_FALSE(
      DecodeJpeg2000Frame(whole.substr(0, whole.size() - 3), format, out).ok());
}

// Cut at the end of a packet, it would be the same picture at lower quality.
TEST(DecodeJpeg2000Test, WithoutEndMarkerAndLengthItMayBeCutShort) {
  std::string frame = Compress(Ramp(0, 16), 12, false);
  // Sets Psot of the only tile part to 0: up to the end.
  frame.replace(frame.find("\xff\x90") + 6, 4, 4, '\0');
  const PixelFormat format = Header(12, false);
  EXPECT_EQ(Decode(frame, format), Ramp(0, 16));
  std::string out;
  const absl::Status status =
      DecodeJpeg2000Frame(frame.substr(0, frame.size() - 2), format, out);
  EXPECT_TRUE(absl::StrContains(status.message(), "no end marker")) << status;
}

// Otherwise the last tile would be black.
TEST(DecodeJpeg2000Test, WithoutEndMarkerAllTilesMustBeThere) {
  const std::string whole = Compress(Ramp(0, 16), 12, false, kSide / 2);
  const PixelFormat format = Header(12, false);
  EXPECT_EQ(Decode(whole.substr(0, whole.size() - 2), format), Ramp(0, 16));
  std::string out;
  const absl::Status status = DecodeJpeg2000Frame(
      whole.substr(0, whole.rfind("\xff\x90")), format, out);
  EXPECT_TRUE(absl::StrContains(status.message(), "no end marker")) << status;
}

// Pydicom with GDCM gives the same values.
TEST(DecodeJpeg2000Test, UnsignedSamplesOfASignedHeaderAreTwosComplement) {
  const std::vector<int> samples = Ramp(0, 16);
  std::vector<int> wanted;
  for (int v : samples) wanted.push_back(v < 2048 ? v : v - 4096);
  EXPECT_EQ(Decode(Compress(samples, 12, false), Header(12, true)), wanted);
}

TEST(DecodeJpeg2000Test, SignedSamplesOfAnUnsignedHeaderMustNotBeNegative) {
  EXPECT_EQ(Decode(Compress(Ramp(0, 8), 12, true), Header(12, false)),
            Ramp(0, 8));
  std::string out;
  const absl::Status status = DecodeJpeg2000Frame(
      Compress(Ramp(-1, 8), 12, true), Header(12, false), out);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(status.message(), "Pixel Representation"))
      << status;
  EXPECT_EQ(Decode(Compress(Ramp(-1, 8), 12, true), Header(12, true)),
            Ramp(-1, 8));
}

}  // namespace
}  // namespace hilum
