// SPDX-License-Identifier: Apache-2.0
#include <dcmtk/config/osconfig.h>
// osconfig.h comes first.
#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcvrcs.h>
#include <dcmtk/dcmdata/dcvrus.h>
#include <dcmtk/dcmdata/dcxfer.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/oflog/appender.h>
#include <dcmtk/oflog/logger.h>
#include <dcmtk/oflog/oflog.h>
#include <dcmtk/oflog/spi/logevent.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/dicom/frame_decoders.h"

namespace hilum {
namespace {

// The first warning or error while this thread decodes. A warning means damaged
// or missing data that the codec replaced.
thread_local std::string* first_complaint = nullptr;

// libjpeg's only warning that is not about missing data. Some modalities write
// such scans, and libjpeg decodes them correctly.
constexpr char kHarmless[] = "Invalid SOS parameters for sequential JPEG";

// Replaces DCMTK's log, which would go to stderr and may quote a file.
class ComplaintAppender : public dcmtk::log4cplus::Appender {
 public:
  ~ComplaintAppender() override { destructorImpl(); }
  void close() override {}

 protected:
  void append(
      const dcmtk::log4cplus::spi::InternalLoggingEvent& event) override {
    if (first_complaint == nullptr || !first_complaint->empty()) return;
    const absl::string_view message(event.getMessage().c_str());
    if (message != kHarmless) *first_complaint = std::string(message);
  }
};

// Registration is global in DCMTK and never undone here.
void PrepareDcmtk() {
  static std::once_flag once;
  std::call_once(once, [] {
    OFLog::configure(OFLogger::WARN_LOG_LEVEL);
    dcmtk::log4cplus::Logger root = dcmtk::log4cplus::Logger::getRoot();
    root.removeAllAppenders();
    root.addAppender(
        dcmtk::log4cplus::SharedAppenderPtr(new ComplaintAppender()));
    DJDecoderRegistration::registerCodecs(EDC_photometricInterpretation,
                                          EUC_never, EPC_colorByPixel);
    DJLSDecoderRegistration::registerCodecs(EJLSUC_never, EJLSPC_colorByPixel);
  });
}

void PutUint16(DcmDataset& set, const DcmTagKey& key, int value) {
  auto element = std::make_unique<DcmUnsignedShort>(DcmTag(key, EVR_US));
  element->putUint16(static_cast<Uint16>(value), 0);
  if (set.insert(element.get(), OFTrue).good()) element.release();
}

// Fills the data set for the codecs with only the image's description and this
// frame's bytes: the file's own elements never reach DCMTK.
void Describe(const PixelFormat& format, DcmDataset& set) {
  PutUint16(set, DCM_Rows, format.rows);
  PutUint16(set, DCM_Columns, format.columns);
  PutUint16(set, DCM_SamplesPerPixel, format.samples);
  PutUint16(set, DCM_BitsAllocated, format.sample_bytes() * 8);
  PutUint16(set, DCM_BitsStored, format.bits_stored);
  PutUint16(set, DCM_HighBit, format.high_bit);
  PutUint16(set, DCM_PixelRepresentation, format.is_signed ? 1 : 0);
  if (format.samples > 1) PutUint16(set, DCM_PlanarConfiguration, 0);
  auto photometric = std::make_unique<DcmCodeString>(
      DcmTag(DCM_PhotometricInterpretation, EVR_CS));
  photometric->putString(format.photometric.c_str());
  if (set.insert(photometric.get(), OFTrue).good()) photometric.release();
}

// Returns the frame as a pixel sequence: an empty offset table and one
// fragment.
std::unique_ptr<DcmPixelSequence> MakeSequence(absl::string_view frame) {
  auto sequence =
      std::make_unique<DcmPixelSequence>(DcmTag(DCM_PixelData, EVR_OB));
  for (absl::string_view bytes : {absl::string_view(), frame}) {
    auto item =
        std::make_unique<DcmPixelItem>(DcmTag(DCM_PixelItemTag, EVR_OB));
    // A fragment must have even length (PS3.5 A.4); a file's may be odd.
    std::string even(bytes);
    even.resize(even.size() + even.size() % 2);
    if (!even.empty()) {
      item->putUint8Array(reinterpret_cast<const Uint8*>(even.data()),
                          static_cast<unsigned long>(even.size()));
    }
    if (sequence->insert(item.get()).good()) item.release();
  }
  return sequence;
}

absl::Status Decode(absl::string_view frame, const TransferSyntax& syntax,
                    const PixelFormat& format, std::string& decoded) {
  DcmDataset set;
  Describe(format, set);
  DcmPixelData pixels(DcmTag(DCM_PixelData, EVR_OB));
  pixels.putOriginalRepresentation(DcmXfer(syntax.uid).getXfer(), nullptr,
                                   MakeSequence(frame).release());
  Uint32 fragment = 0;
  OFString color_model;
  std::string complaint;
  first_complaint = &complaint;
  const OFCondition done = pixels.getUncompressedFrame(
      &set, 0, fragment, decoded.data(), static_cast<Uint32>(decoded.size()),
      color_model);
  first_complaint = nullptr;
  if (done.good() && complaint.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "damaged pixel data: ", done.good() ? complaint.c_str() : done.text()));
}

// Widens samples of one byte, which codecs give for at most 8 bits, to the 16
// bits allocated.
void Widen(std::string& samples) {
  std::string wide(samples.size() * 2, '\0');
  for (size_t i = 0; i < samples.size(); ++i) wide[2 * i] = samples[i];
  samples = std::move(wide);
}

}  // namespace

absl::Status DecodeDcmtkFrame(absl::string_view frame,
                              const TransferSyntax& syntax,
                              const PixelFormat& format, std::string& out) {
  HILUM_ASSIGN_OR_RETURN(const int bits,
                         CheckJpegHeader(frame, syntax, format));
  const bool narrow = bits <= 8 && format.sample_bytes() == 2;
  PixelFormat coded = format;
  if (narrow) {
    // DCMTK expects 8 bits allocated for a codestream of 8 bits.
    coded.bits_allocated = 8;
    coded.bits_stored = std::min(format.bits_stored, 8);
    coded.high_bit = coded.bits_stored - 1;
  }
  const uint64_t size = coded.frame_bytes();
  const std::string without_fill = WithoutFillBytes(frame);
  // DCMTK needs a buffer of even size.
  std::string decoded(size + size % 2, '\0');
  try {
    PrepareDcmtk();
    HILUM_RETURN_IF_ERROR(Decode(without_fill.empty() ? frame : without_fill,
                                 syntax, coded, decoded));
  } catch (const std::exception& error) {
    first_complaint = nullptr;
    return absl::InvalidArgumentError(
        absl::StrCat("damaged pixel data: ", error.what()));
  }
  decoded.resize(size);
  if (narrow) Widen(decoded);
  out += decoded;
  return absl::OkStatus();
}

}  // namespace hilum
