// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/update_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "common/aggregation/clipping.h"
#include "common/base/file.h"
#include "common/base/ordered_pipeline.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

constexpr int64_t kBlock = 1 << 16;  // elements
static_assert(kBlock % 4 == 0, "where masks begin");

uint64_t MostTrained(const TrackShare& share) {
  return share.most_trained > 0 ? share.most_trained : share.total_examples;
}

absl::Status CheckShares(const UpdateOptions& options) {
  if (options.shares.size() != static_cast<size_t>(options.layout.num_tracks)) {
    return absl::InvalidArgumentError(
        absl::StrCat("shares of ", options.shares.size(), " tracks, not of ",
                     options.layout.num_tracks));
  }
  for (size_t track = 0; track < options.shares.size(); ++track) {
    const TrackShare& share = options.shares[track];
    const uint64_t most = std::min(share.total_examples, kMaxSiteExamples);
    if (share.num_examples > most ||
        share.validation_examples > most - share.num_examples) {
      return absl::InvalidArgumentError(absl::StrCat(
          "track ", track, ": ", share.num_examples, " examples and ",
          share.validation_examples, " for validation, of ",
          share.total_examples, " in the cohort, at most ", kMaxSiteExamples,
          " of one site"));
    }
    if (share.num_examples > MostTrained(share) ||
        !(share.normalized_steps >= 1)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "track ", track, ": ", share.num_examples, " examples in a round, ",
          "where the cohort trains on ", MostTrained(share), " at most, and ",
          share.normalized_steps, " steps"));
    }
    if (std::isnan(share.loss_sum) ||
        !std::isfinite(share.validation_loss_sum)) {
      return absl::InvalidArgumentError(
          absl::StrCat("the loss of track ", track, " is not a number"));
    }
  }
  return absl::OkStatus();
}

// Writes a vector into its file, from front to back.
class VectorFile {
 public:
  VectorFile(int fd, const std::string& path) : fd_(fd), path_(path) {}

  absl::Status Append(absl::Span<const uint32_t> words) {
    absl::string_view bytes(reinterpret_cast<const char*>(words.data()),
                            words.size() * sizeof(uint32_t));
    sha_.Update(bytes);
    HILUM_RETURN_IF_ERROR(
        WriteAt(fd_, num_elements_ * sizeof(uint32_t), bytes, path_));
    num_elements_ += words.size();
    return absl::OkStatus();
  }

  v1::BlobRef Finish() {
    v1::BlobRef ref;
    ref.set_sha256(sha_.Finish());
    ref.set_size(num_elements_ * sizeof(uint32_t));
    return ref;
  }

 private:
  const int fd_;
  const std::string& path_;
  Sha256 sha_;
  uint64_t num_elements_ = 0;
};

absl::StatusOr<ScopedFd> NewFile(const std::string& path) {
  ScopedFd fd(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot write", path);
  return fd;
}

// Bounds a track's loss: a diverged track must not outweigh the others or make
// their sum NaN.
double Clamped(double loss_sum, uint64_t num_examples) {
  return std::clamp(loss_sum, 0.0,
                    kMaxLoss * static_cast<double>(num_examples));
}

// Returns the counts and the validation loss of each track, then the loss of
// each arm.
std::vector<uint32_t> TailOf(const UpdateOptions& options) {
  const VectorLayout& layout = options.layout;
  std::vector<uint32_t> tail;
  for (const TrackShare& share : options.shares) {
    tail.push_back(static_cast<uint32_t>(share.num_examples));
    if (!layout.validates) continue;
    tail.push_back(static_cast<uint32_t>(share.validation_examples));
    tail.push_back(EncodeLoss(
        Clamped(share.validation_loss_sum, share.validation_examples),
        share.validation_examples, share.total_examples));
  }
  for (int arm = 0; arm < layout.num_arms; ++arm) {
    TrackShare pooled;
    for (int i = 0; i < layout.tracks_per_arm(); ++i) {
      const TrackShare& share =
          options
              .shares[static_cast<size_t>(arm * layout.tracks_per_arm() + i)];
      pooled.num_examples += share.num_examples;
      pooled.loss_sum += Clamped(share.loss_sum, share.num_examples);
      pooled.total_examples += share.total_examples;
      pooled.most_trained += MostTrained(share);
    }
    tail.push_back(
        EncodeLoss(pooled.loss_sum, pooled.num_examples, pooled.most_trained));
  }
  return tail;
}

// The work of one call of EncodeUpdateFile.
class Encoder {
 public:
  // Does not wait for a pipe at the file's path, and follows no link.
  Encoder(const std::string& path, const UpdateOptions& options)
      : path_(path),
        new_path_(path + ".new"),
        options_(options),
        in_(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)),
        factors_(options.shares.size(), 1) {}

  absl::StatusOr<v1::BlobRef> Run() {
    HILUM_RETURN_IF_ERROR(CheckShares(options_));
    HILUM_RETURN_IF_ERROR(CheckSize());
    tail_ = TailOf(options_);
    absl::StatusOr<v1::BlobRef> vector = WriteNew();
    if (!vector.ok()) unlink(new_path_.c_str());
    return vector;
  }

 private:
  absl::StatusOr<v1::BlobRef> WriteNew() {
    unlink(new_path_.c_str());
    out_ = ScopedFd(
        open(new_path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (out_.get() < 0) return ErrnoStatus(errno, "cannot write", new_path_);
    if (options_.clipping_norm != 0) HILUM_RETURN_IF_ERROR(Measure());
    HILUM_ASSIGN_OR_RETURN(v1::BlobRef vector, Encode());
    if (rename(new_path_.c_str(), path_.c_str()) != 0) {
      return ErrnoStatus(errno, "cannot rename", new_path_);
    }
    return vector;
  }

  // A part of block_ that is within one track.
  struct Piece {
    size_t track;
    int64_t first;  // element within the track
    absl::Span<const float> delta;
    size_t offset;  // in block_
  };

  absl::Status CheckSize() const {
    struct stat info;
    if (in_.get() < 0 || fstat(in_.get(), &info) != 0) {
      return ErrnoStatus(errno, "cannot open the trainer's update", path_);
    }
    if (!S_ISREG(info.st_mode)) {
      return absl::InvalidArgumentError(
          "the trainer's update is no plain file");
    }
    const int64_t wanted = layout_.tail() * static_cast<int64_t>(sizeof(float));
    if (info.st_size == wanted) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("the trainer's update has ", info.st_size,
                     " bytes, the study's has ", wanted));
  }

  // Checks all values, and finds the factor that clips each track. Copies the
  // values to the new file, which is read from then on: the values that were
  // measured are the values that are encoded.
  absl::Status Measure() {
    std::vector<double> squares(factors_.size());
    for (int64_t at = 0; at < layout_.tail(); at += kBlock) {
      HILUM_RETURN_IF_ERROR(ReadBlock(in_.get(), at));
      HILUM_RETURN_IF_ERROR(
          WriteAt(out_.get(), static_cast<uint64_t>(at) * sizeof(float),
                  {reinterpret_cast<const char*>(block_.data()),
                   block_.size() * sizeof(float)},
                  new_path_));
      ForEachPiece(at, [&](const Piece& piece) {
        AddSquares(piece.delta, squares[piece.track]);
      });
    }
    for (size_t track = 0; track < squares.size(); ++track) {
      HILUM_ASSIGN_OR_RETURN(
          factors_[track], ClipFactor(squares[track], options_.clipping_norm));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<v1::BlobRef> Encode() {
    std::vector<double> scales;
    std::vector<RoundingStream> roundings;
    for (size_t track = 0; track < factors_.size(); ++track) {
      scales.push_back(Scale(track));
      roundings.emplace_back(options_.seed,
                             absl::StrCat(options_.stream, "/", track));
    }
    const int from = options_.clipping_norm != 0 ? out_.get() : in_.get();
    VectorFile file(out_.get(), new_path_);
    for (int64_t at = 0; at < layout_.size(); at += kBlock) {
      HILUM_RETURN_IF_ERROR(ReadBlock(from, at));
      words_.resize(block_.size());
      ForEachPiece(at, [&](const Piece& piece) {
        EncodeDelta(
            piece.delta, scales[piece.track], roundings[piece.track],
            static_cast<uint64_t>(piece.first),
            absl::MakeSpan(words_).subspan(piece.offset, piece.delta.size()));
      });
      AppendTail(at);
      HILUM_RETURN_IF_ERROR(file.Append(words_));
    }
    return file.Finish();
  }

  // Returns n_s / (M a_s) * 2^f, times the factor that clips.
  double Scale(size_t track) const {
    const TrackShare& share = options_.shares[track];
    if (share.num_examples == 0) return 0;
    return std::ldexp(static_cast<double>(share.num_examples) /
                          static_cast<double>(MostTrained(share)) *
                          factors_[track] / share.normalized_steps,
                      FractionBits(options_.clipping_norm));
  }

  // Reads the file's values from `at` on into block_, all checked to be in
  // range; none past the last track.
  absl::Status ReadBlock(int from, int64_t at) {
    const int64_t left = std::max<int64_t>(0, layout_.tail() - at);
    block_.resize(static_cast<size_t>(std::min(kBlock, left)));
    HILUM_RETURN_IF_ERROR(ReadAt(from,
                                 static_cast<uint64_t>(at) * sizeof(float),
                                 reinterpret_cast<char*>(block_.data()),
                                 block_.size() * sizeof(float), path_));
    const int64_t bad = FirstBadDelta(
        block_, options_.clipping_norm != 0 ? kMaxClippedDelta : kMaxDelta);
    if (bad < 0) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        "the trainer's update of track ", (at + bad) / layout_.track_size,
        " has NaN, Inf or an absurd value at element ",
        (at + bad) % layout_.track_size, "; a smaller learning rate may help"));
  }

  void ForEachPiece(int64_t at,
                    absl::FunctionRef<void(const Piece&)> use) const {
    const absl::Span<const float> block(block_);
    for (size_t offset = 0; offset < block.size();) {
      const int64_t element = at + static_cast<int64_t>(offset);
      const int64_t first = element % layout_.track_size;
      const auto delta = block.subspan(
          offset, static_cast<size_t>(layout_.track_size - first));
      use({static_cast<size_t>(element / layout_.track_size), first, delta,
           offset});
      offset += delta.size();
    }
  }

  // Appends to words_ the part of the block at `at` that lies behind the
  // tracks.
  void AppendTail(int64_t at) {
    const int64_t end = std::min(layout_.size(), at + kBlock);
    for (int64_t i = std::max(at, layout_.tail()); i < end; ++i) {
      words_.push_back(tail_[static_cast<size_t>(i - layout_.tail())]);
    }
  }

  const std::string& path_;
  const std::string new_path_;
  const UpdateOptions& options_;
  const VectorLayout& layout_ = options_.layout;
  const ScopedFd in_;            // the trainer may write to it at any time
  ScopedFd out_;                 // only this process has it
  std::vector<double> factors_;  // [num_tracks]
  std::vector<uint32_t> tail_;   // [layout_.tail_words()]
  std::vector<float> block_;
  std::vector<uint32_t> words_;
};

}  // namespace

absl::StatusOr<v1::BlobRef> EncodeUpdateFile(const std::string& path,
                                             const UpdateOptions& options) {
  return Encoder(path, options).Run();
}

absl::StatusOr<v1::BlobRef> WriteZeroVector(const std::string& path,
                                            int64_t num_elements) {
  HILUM_ASSIGN_OR_RETURN(ScopedFd fd, NewFile(path));
  VectorFile file(fd.get(), path);
  std::vector<uint32_t> words;
  for (int64_t at = 0; at < num_elements; at += kBlock) {
    words.assign(static_cast<size_t>(std::min(kBlock, num_elements - at)), 0);
    HILUM_RETURN_IF_ERROR(file.Append(words));
  }
  return file.Finish();
}

absl::StatusOr<v1::BlobRef> WriteVector(const std::string& path,
                                        absl::Span<const uint32_t> words) {
  HILUM_ASSIGN_OR_RETURN(ScopedFd fd, NewFile(path));
  VectorFile file(fd.get(), path);
  HILUM_RETURN_IF_ERROR(file.Append(words));
  return file.Finish();
}

absl::StatusOr<v1::BlobRef> MaskVectorFile(const std::string& from,
                                           const std::string& sha256,
                                           const std::string& to,
                                           const VectorMask& mask) {
  ScopedFd in(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info;
  if (in.get() < 0 || fstat(in.get(), &info) != 0) {
    return ErrnoStatus(errno, "cannot open", from);
  }
  if (info.st_size % static_cast<off_t>(sizeof(uint32_t)) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(from, ": ", info.st_size, " bytes are no vector"));
  }
  HILUM_ASSIGN_OR_RETURN(ScopedFd out, NewFile(to));
  VectorFile file(out.get(), to);
  Sha256 sha;
  const int64_t size = info.st_size / static_cast<int64_t>(sizeof(uint32_t));
  // One thread reads and hashes the vector, so that its blocks come in order.
  HILUM_RETURN_IF_ERROR(RunOrdered<std::vector<uint32_t>>(
      (size + kBlock - 1) / kBlock, 1,
      [&](int64_t i, std::vector<uint32_t>& words) -> absl::Status {
        const int64_t at = i * kBlock;
        words.resize(static_cast<size_t>(std::min(kBlock, size - at)));
        const size_t bytes = words.size() * sizeof(uint32_t);
        HILUM_RETURN_IF_ERROR(
            ReadAt(in.get(), static_cast<uint64_t>(at) * sizeof(uint32_t),
                   reinterpret_cast<char*>(words.data()), bytes, from));
        sha.Update({reinterpret_cast<const char*>(words.data()), bytes});
        return absl::OkStatus();
      },
      [&](int64_t i, std::vector<uint32_t>& words) {
        mask(static_cast<uint64_t>(i * kBlock), absl::MakeSpan(words));
        return file.Append(words);
      }));
  if (sha256.empty() || sha.Finish() == sha256) return file.Finish();
  return absl::AbortedError(
      absl::StrCat(from, ": changed since it was made; it is not masked"));
}

}  // namespace hilum
