// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/secret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/string_view.h"
#include "tests/support/hex_secret.h"
#include "tests/support/seeded_secure_rng.h"

namespace {

// The last content of a watched array when it is freed.
struct Watch {
  const void* array = nullptr;
  size_t size = 0;
  int freed = 0;
  bool zero = false;
};
Watch watch;

void Look(const void* array) {
  if (array == nullptr || array != watch.array) return;
  const uint8_t* bytes = static_cast<const uint8_t*>(array);
  ++watch.freed;
  watch.zero = std::all_of(bytes, bytes + watch.size,
                           [](uint8_t byte) { return byte == 0; });
  watch.array = nullptr;
}

}  // namespace

void* operator new[](size_t size) {
  void* array = std::malloc(size);
  if (array == nullptr) throw std::bad_alloc();
  return array;
}
void operator delete[](void* array) noexcept {
  Look(array);
  std::free(array);
}
void operator delete[](void* array, size_t) noexcept {
  Look(array);
  std::free(array);
}

namespace hilum {
namespace {

void Follow(const SecretBytes& secret) {
  watch = {.array = secret.ExposeBytes().data(), .size = secret.size()};
}

template <typename T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};
template <typename T>
concept Comparable = requires(const T& a, const T& b) {
  a == b;
};

static_assert(Streamable<std::string> && Comparable<std::string>);
static_assert(!Streamable<SecretBytes> && !Comparable<SecretBytes>);
static_assert(!std::is_copy_constructible_v<SecretBytes>);
static_assert(!std::is_copy_assignable_v<SecretBytes>);
static_assert(std::is_nothrow_move_constructible_v<SecretBytes>);
static_assert(std::is_nothrow_move_assignable_v<SecretBytes>);
static_assert(!std::is_constructible_v<absl::string_view, SecretBytes>);
static_assert(!std::is_constructible_v<std::string, SecretBytes>);
static_assert(!std::is_constructible_v<absl::Span<const uint8_t>, SecretBytes>);
static_assert(!std::is_constructible_v<SecretBytes, std::string>);
static_assert(!std::is_convertible_v<size_t, SecretBytes>);
static_assert(
    std::is_same_v<decltype(std::declval<SecretBytes&>().ExposeBytes()),
                   absl::Span<const uint8_t>>);

TEST(SecretBytesTest, IsWipedBeforeItsMemoryIsFreed) {
  {
    SecretBytes secret = SecretFromHex("0102030405");
    Follow(secret);
  }
  EXPECT_EQ(watch.freed, 1);
  EXPECT_TRUE(watch.zero);
}

TEST(SecretBytesTest, IsWipedBeforeAnotherTakesItsPlace) {
  SecretBytes secret = SecretFromHex("0102030405");
  Follow(secret);
  secret = SecretFromHex("06");
  EXPECT_EQ(watch.freed, 1);
  EXPECT_TRUE(watch.zero);
  EXPECT_EQ(HexOf(secret), "06");
}

TEST(SecretBytesTest, MovingPassesTheMemoryOnAndLeavesNothing) {
  SecretBytes from = SecretFromHex("0102030405");
  const uint8_t* memory = from.ExposeBytes().data();
  SecretBytes to = std::move(from);
  EXPECT_EQ(to.ExposeBytes().data(), memory);
  EXPECT_EQ(HexOf(to), "0102030405");
  EXPECT_EQ(from.size(), 0u);  // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(from.ExposeBytes().empty());
  from = std::move(to);
  EXPECT_EQ(from.ExposeBytes().data(), memory);
  EXPECT_EQ(to.size(), 0u);  // NOLINT(bugprone-use-after-move)
}

TEST(SecretBytesTest, MovingIntoItselfKeepsTheBytes) {
  SecretBytes secret = SecretFromHex("0102");
  SecretBytes& same = secret;
  secret = std::move(same);
  EXPECT_EQ(HexOf(secret), "0102");
}

TEST(SecretBytesTest, ACopyHasItsOwnMemory) {
  SecretBytes copy;
  {
    SecretBytes secret = SecretFromHex("0102");
    copy = secret.Copy();
    EXPECT_NE(copy.ExposeBytes().data(), secret.ExposeBytes().data());
  }
  EXPECT_EQ(HexOf(copy), "0102");
}

TEST(SecretBytesTest, RandomBytesComeFromTheGenerator) {
  SeededSecureRng one(7, "secret"), same(7, "secret"), other(8, "secret");
  SecretBytes secret = SecretBytes::Random(one, 33);
  EXPECT_EQ(secret.size(), 33u);
  EXPECT_TRUE(ConstantTimeEquals(secret, SecretBytes::Random(same, 33)));
  EXPECT_FALSE(ConstantTimeEquals(secret, SecretBytes::Random(other, 33)));
}

TEST(SecretBytesTest, EqualityNoticesEachBitAndTheLength) {
  SecretBytes secret = SecretFromHex("00010203");
  EXPECT_TRUE(ConstantTimeEquals(secret, secret.Copy()));
  EXPECT_TRUE(ConstantTimeEquals(SecretBytes(), SecretBytes()));
  EXPECT_FALSE(ConstantTimeEquals(secret, SecretFromHex("000102")));
  EXPECT_FALSE(ConstantTimeEquals(secret, SecretFromHex("0001020300")));
  for (int bit = 0; bit < 32; ++bit) {
    std::string bytes(AsText(secret.ExposeBytes()));
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(
        ConstantTimeEquals(secret, SecretBytes::FromBytes(AsBytes(bytes))));
  }
}

}  // namespace
}  // namespace hilum
