#include "core/io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace mla {
namespace {

namespace fs = std::filesystem;

Error system_error(const std::string& path, const char* what) { return {path + ": " + what + ": " + std::strerror(errno)}; }

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }
  /// Closes now, so that an error of the last write is not lost.
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool write_all(int fd, std::span<const std::string_view> pieces) {
  for (const std::string_view piece : pieces) {
    if (!write_all(fd, piece)) return false;
  }
  return true;
}

Status write_directly(const std::string& path, std::span<const std::string_view> pieces) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || !write_all(file.get(), pieces) || !file.close()) return system_error(path, "cannot write");
  return {};
}

/// A hidden name beside the target that no other writer of this or another process uses.
std::string temporary_name(const fs::path& target) {
  static std::atomic<unsigned> count = 0;
  const std::string unique = std::to_string(::getpid()) + "-" + std::to_string(count++);
  return (target.parent_path() / (".mla-" + unique + ".tmp")).string();
}

/// Gives the new file the permissions of the one it replaces, if there is one.
bool keep_permissions(int fd, const std::string& target) {
  struct stat old {};
  return ::stat(target.c_str(), &old) != 0 || ::fchmod(fd, old.st_mode & 07777) == 0;
}

Status write_by_rename(const std::string& path, const std::string& target, std::span<const std::string_view> pieces) {
  const std::string temporary = temporary_name(target);
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file) return system_error(path, "cannot create a file in its folder");
  const bool written = write_all(file.get(), pieces) && keep_permissions(file.get(), target) && ::fsync(file.get()) == 0 &&
                       file.close() && ::rename(temporary.c_str(), target.c_str()) == 0;
  if (written) return {};
  const Error error = system_error(path, "cannot write");
  ::unlink(temporary.c_str());
  return error;
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_error(path, "cannot open");
  std::string bytes;
  std::array<char, 65536> chunk;
  for (;;) {
    const ssize_t got = ::read(file.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path, "cannot read");
    if (got == 0) return bytes;
    if (bytes.size() + static_cast<std::size_t>(got) > max_read_bytes) {
      return Error{path + ": larger than " + std::to_string(max_read_bytes) + " bytes, the most that is read at once"};
    }
    bytes.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

std::string file_identity(const std::string& path) {
  std::error_code failed;
  const fs::path real = fs::canonical(path, failed);
  const auto changed = fs::last_write_time(path, failed).time_since_epoch().count();
  return real.string() + " " + std::to_string(fs::file_size(path, failed)) + " " + std::to_string(changed);
}

Status write_file_atomically(const std::string& path, std::string_view bytes) {
  return write_file_atomically(path, std::span(&bytes, 1));
}

Status write_file_atomically(const std::string& path, std::span<const std::string_view> pieces) {
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (fs::is_directory(status)) return Error{path + ": cannot write: it is a folder"};
  if (fs::exists(status) && !fs::is_regular_file(status)) return write_directly(path, pieces);
  const fs::path target = fs::weakly_canonical(path, failed);  // through links, so that a link stays one
  return write_by_rename(path, failed ? path : target.string(), pieces);
}

}  // namespace mla
