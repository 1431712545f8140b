#include "core/io/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <thread>
#include <vector>

#include "tests/core/io/temp_folder.h"

namespace mla {
namespace {

namespace fs = std::filesystem;

std::string contents(const std::string& path) {
  const Result<std::string> bytes = read_file(path);
  return bytes ? *bytes : "unreadable: " + bytes.error().message;
}

/// While it lives, this process cannot write files beyond `bytes`.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(File, ReadsBackWhatWasWritten) {
  const TempFolder folder;
  std::string bytes = "text\n";
  for (int i = 0; i < 200'000; ++i) bytes += static_cast<char>(i);
  ASSERT_TRUE(write_file_atomically(folder / "a", bytes));
  EXPECT_EQ(contents(folder / "a"), bytes);
  EXPECT_EQ(folder.entries(), 1);
}

TEST(File, ReplacesAndKeepsPermissions) {
  const TempFolder folder;
  ASSERT_TRUE(write_file_atomically(folder / "a", "old"));
  fs::permissions(folder / "a", fs::perms::owner_read | fs::perms::owner_write);
  ASSERT_TRUE(write_file_atomically(folder / "a", "new"));
  EXPECT_EQ(contents(folder / "a"), "new");
  EXPECT_EQ(fs::status(folder / "a").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(File, NewFilesFollowTheProcessMask) {
  const TempFolder folder;
  const mode_t before = ::umask(0027);
  ASSERT_TRUE(write_file_atomically(folder / "a", "x"));
  ::umask(before);
  EXPECT_EQ(static_cast<int>(fs::status(folder / "a").permissions()), 0640);
}

TEST(File, WritesThroughALink) {
  const TempFolder folder;
  ASSERT_TRUE(write_file_atomically(folder / "target", "old"));
  fs::create_symlink("target", folder / "link");
  ASSERT_TRUE(write_file_atomically(folder / "link", "new"));
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(contents(folder / "target"), "new");
}

TEST(File, WritesADeviceInPlace) {
  ASSERT_TRUE(write_file_atomically("/dev/null", "x"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  const Status full = write_file_atomically("/dev/full", "x");
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().message.find("/dev/full"), std::string::npos);
}

TEST(File, AFailedWriteLeavesTheOldFileAndNothingElse) {
  const TempFolder folder;
  ASSERT_TRUE(write_file_atomically(folder / "a", "old"));
  Status failed;
  {
    const FileSizeLimit limit(1000);
    failed = write_file_atomically(folder / "a", std::string(5000, 'x'));
  }
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find(folder / "a"), std::string::npos);
  EXPECT_EQ(contents(folder / "a"), "old");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(File, RefusesByName) {
  const TempFolder folder;
  for (const std::string& path : {folder.path(), folder / "missing/a", std::string()}) {
    const Status status = write_file_atomically(path, "x");
    ASSERT_FALSE(status) << path;
    EXPECT_EQ(status.error().message.rfind(path + ":", 0), 0u) << status.error().message;
  }
  EXPECT_FALSE(read_file(folder / "missing"));
  EXPECT_FALSE(read_file(folder.path()));
  const Result<std::string> endless = read_file("/dev/zero");
  ASSERT_FALSE(endless);
  EXPECT_NE(endless.error().message.find("268435456"), std::string::npos) << endless.error().message;
  EXPECT_EQ(folder.entries(), 0);
}

TEST(File, ReadersNeverSeeHalfAFile) {
  const TempFolder folder;
  const std::string a(100'000, 'a'), b(100'000, 'b');
  ASSERT_TRUE(write_file_atomically(folder / "f", a));
  std::vector<std::thread> writers;
  for (const std::string* bytes : {&a, &b}) {
    writers.emplace_back([&folder, bytes] {
      for (int i = 0; i < 20; ++i) EXPECT_TRUE(write_file_atomically(folder / "f", *bytes));
    });
  }
  for (int i = 0; i < 100; ++i) {
    const std::string seen = contents(folder / "f");
    EXPECT_TRUE(seen == a || seen == b) << seen.size();
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(folder.entries(), 1);
}

}  // namespace
}  // namespace mla
