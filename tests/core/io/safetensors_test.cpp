#include "core/io/safetensors.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <cstring>

#include "tests/core/io/temp_folder.h"

namespace mla {
namespace {

/// A file with that header and data; the length is the header's own unless given.
std::string safetensors_bytes(const std::string& header, const std::string& data, std::uint64_t length) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}
std::string safetensors_bytes(const std::string& header, const std::string& data) {
  return safetensors_bytes(header, data, header.size());
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

TEST(Safetensors, RoundTrip) {
  const TempFolder folder;
  const std::vector<float> a{1, -2.5f, 1e-40f, INFINITY, 5, 6}, scalar{7};
  const std::vector<NamedTensor> tensors{{"a \"b\"", {2, 3}, a}, {"none", {0, 4}, {}}, {"scalar", {}, scalar}};
  ASSERT_TRUE(write_safetensors(folder / "x", tensors));
  const Result<Safetensors> file = Safetensors::open(folder / "x");
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->tensors().size(), 3u);
  for (const NamedTensor& written : tensors) {
    const TensorView* const read = file->find(written.name);
    ASSERT_NE(read, nullptr) << written.name;
    EXPECT_EQ(read->dtype, TensorDtype::f32);
    EXPECT_EQ(read->shape, written.shape);
    const Result<std::vector<float>> values = read_fp32(*file, written.name);
    ASSERT_TRUE(values);
    EXPECT_EQ(*values, std::vector<float>(written.values.begin(), written.values.end()));
  }
  EXPECT_EQ(file->find("a"), nullptr);
  EXPECT_EQ(folder.entries(), 1);
}

TEST(Safetensors, RefusesToWriteWhatItCouldNotRead) {
  const TempFolder folder;
  const std::vector<float> two{1, 2};
  const std::vector<std::vector<NamedTensor>> wrong{
      {{"a", {3}, two}}, {{"a", {-2, -1}, two}}, {{"a", {2}, two}, {"a", {2}, two}}, {{"__metadata__", {2}, two}}};
  for (const auto& tensors : wrong) EXPECT_FALSE(write_safetensors(folder / "x", tensors));
  EXPECT_EQ(folder.entries(), 0);
}

TEST(Safetensors, ConvertsHalfPrecisionExactly) {
  const TempFolder folder;
  // 1, -2, smallest and largest subnormal and largest normal half; infinity; then bf16 1, -2, 2^-133 and 3.3895314e38.
  const std::uint16_t bits[]{0x3c00, 0xc000, 0x0001, 0x83ff, 0x7bff, 0x7c00, 0x7e00, 0x8000, 0x3f80, 0xc000, 0x0001, 0x7f7f};
  const std::string data(reinterpret_cast<const char*>(bits), sizeof bits);
  write_plainly(folder / "x",
                safetensors_bytes(
                    "{" + entry("h", "F16", "[8]", "[0,16]") + "," + entry("b", "BF16", "[2,2]", "[16,24]") + "}  ", data));
  const Result<Safetensors> file = Safetensors::open(folder / "x");
  ASSERT_TRUE(file) << file.error().message;
  const std::vector<float> h = *read_fp32(*file, "h"), b = *read_fp32(*file, "b");
  const std::vector<float> expected{1, -2, 0x1p-24f, -1023 * 0x1p-24f, 65504, INFINITY};
  EXPECT_EQ(std::vector<float>(h.begin(), h.begin() + 6), expected);
  EXPECT_TRUE(std::isnan(h[6]));
  EXPECT_TRUE(h[7] == 0 && std::signbit(h[7]));
  EXPECT_EQ(b, (std::vector<float>{1, -2, 0x1p-133f, 0x1.fep127f}));
}

TEST(Safetensors, NamesWhatCannotBeFp32) {
  const TempFolder folder;
  write_plainly(folder / "x",
                safetensors_bytes("{\"__metadata__\":{\"a\":\"b\"}," + entry("i", "I64", "[1]", "[0,8]") + "}", "12345678"));
  const Result<Safetensors> file = Safetensors::open(folder / "x");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_NE(read_fp32(*file, "i").error().message.find("I64"), std::string::npos);
  EXPECT_NE(read_fp32(*file, "j").error().message.find("\"j\""), std::string::npos);
}

struct Malformed {
  std::string name;
  std::string bytes;
  std::string culprit;  ///< must be in the message
};

std::vector<Malformed> malformed_files() {
  const auto with = [](const std::string& header) { return safetensors_bytes("{" + header + "}", std::string(8, 'x')); };
  const std::string good = entry("w", "F32", "[2]", "[0,8]");
  return {
      {"empty", "", "holds 0 bytes"},
      {"short", "1234567", "holds 7 bytes"},
      {"long header", safetensors_bytes("{}", "", 3), "header of 3 bytes"},
      {"huge header", safetensors_bytes("{}", "", ~0ull), "18446744073709551615"},
      {"no json", safetensors_bytes("{]", ""), "not valid JSON at byte 2"},
      {"no header", safetensors_bytes("", ""), "not valid JSON"},
      {"bad utf-8", safetensors_bytes("{\"\xff\":1}", ""), "not valid JSON"},
      {"list", safetensors_bytes("[]", ""), "not a JSON object"},
      {"not a tensor", with("\"w\":1"), "\"w\""},
      {"no dtype", with(R"("w":{"shape":[2],"data_offsets":[0,8]})"), "dtype"},
      {"extra field", with(R"("w":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1})"), "nothing else"},
      {"unknown dtype", with(entry("w", "F31", "[2]", "[0,8]")), "\"F31\""},
      {"dtype no text", with(R"("w":{"dtype":32,"shape":[2],"data_offsets":[0,8]})"), "dtype 32"},
      {"shape no list", with(entry("w", "F32", "2", "[0,8]")), "shape 2"},
      {"negative extent", with(entry("w", "F32", "[-2]", "[0,8]")), "[-2]"},
      {"fractional extent", with(entry("w", "F32", "[2.5]", "[0,8]")), "[2.5]"},
      {"overflow", with(entry("w", "F32", "[4611686018427387904,4]", "[0,8]")), "overflows"},
      {"one offset", with(entry("w", "F32", "[2]", "[8]")), "not two counts"},
      {"backwards", with(entry("w", "F32", "[2]", "[8,0]")), "ends before it begins"},
      {"leaves the file", with(entry("w", "F32", "[2]", "[4,12]")), "beyond the file's 8 bytes"},
      {"huge offsets", with(entry("w", "F32", "[2]", "[18446744073709551608,18446744073709551615]")), "beyond"},
      {"size", with(entry("w", "F32", "[1]", "[0,8]")), "take 4 bytes"},
      {"overlap", with(entry("v", "F32", "[2]", "[0,8]") + "," + entry("w", "F32", "[1]", "[4,8]")),
       "inside the tensor before"},
      {"gap", with(entry("w", "F32", "[1]", "[4,8]")), "bytes before it end at 0"},
      {"left over", with(entry("w", "F32", "[1]", "[0,4]")), "holds 8 bytes"},
      {"twice", with(good + "," + good), "\"w\" twice"},
      {"field twice", with(R"("w":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]})"), "\"dtype\" twice"},
      {"line break", with(entry("a\\nb", "F32", "[3]", "[0,8]")), "\"a\\nb\""},
      {"deep", safetensors_bytes(std::string(100'000, '['), ""), "not valid JSON"},
  };
}

TEST(Safetensors, RefusesMalformedFilesByName) {
  const TempFolder folder;
  for (const Malformed& wrong : malformed_files()) {
    write_plainly(folder / "x", wrong.bytes);
    const Result<Safetensors> file = Safetensors::open(folder / "x");
    ASSERT_FALSE(file) << wrong.name;
    const std::string& message = file.error().message;
    EXPECT_EQ(message.rfind((folder / "x") + ":", 0), 0u) << message;
    EXPECT_NE(message.find(wrong.culprit), std::string::npos) << wrong.name << ": " << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

TEST(Safetensors, RefusesWhatIsNoFile) {
  const TempFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  for (const std::string& path : {folder / "missing", folder.path(), folder / "pipe", std::string("/dev/zero")}) {
    const Result<Safetensors> file = Safetensors::open(path);
    ASSERT_FALSE(file) << path;
    EXPECT_EQ(file.error().message.rfind(path + ":", 0), 0u) << file.error().message;
  }
}

}  // namespace
}  // namespace mla
