#pragma once
// Files in and out: whole or not at all, and with errors that say what to do.
//
//     auto text = base::read_file("kernel.map", {.bytes_max = 1 << 20});
//     if (!text) return tl::unexpected(text.error());
//     auto written = base::write_file("out/report.json", document);
//     auto scratch = base::ScratchDirectory::make("build");    // goes with all that is in it

#include "impl/base/error.h"

#include <tl/expected.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::base {

// A symbolic link: where it lies, and what it says.
struct Link {
    std::string name;
    std::string target;
    auto operator<=>(Link const&) const = default;
};

struct ReadLimits {
    std::uint64_t bytes_max = std::uint64_t{16} << 20;
    // Pipes, which may never begin, and devices, which may never end: for files that the user names, not for what lies
    // in somebody's directory.
    bool any_kind = false;
    std::stop_token stop{};  // ends the wait for a pipe
};

// The whole file. Fails where it is missing, a directory, not permitted, of another kind, or larger than allowed.
tl::expected<std::string, Error> read_file(std::filesystem::path const& path, ReadLimits const& limits = {});
tl::expected<std::vector<std::byte>, Error> read_bytes(std::filesystem::path const& path,
                                                       ReadLimits const& limits = {});

// Writes the whole file or nothing: first beside it under another name, then renamed, so that a reader sees what was
// there before or all that is new. A device or pipe is written to directly. Creates missing directories.
tl::expected<void, Error> write_file(std::filesystem::path const& path, std::string_view contents);
tl::expected<void, Error> write_file(std::filesystem::path const& path, std::vector<std::byte> const& contents);

// The same for what must outlive this process and this machine, whenever they end: when it returns the file is on the
// disk under its name; ended before that it leaves the old one, or none, and perhaps a NAME.PID.part.
tl::expected<void, Error> write_file_for_good(std::filesystem::path const& path, std::string_view contents);
// Removes those, in this directory alone, of processes that are no more.
void remove_left_parts(std::filesystem::path const& directory);

// The same with a checksum at its end, which read_sealed() takes off: it fails where one bit is another.
tl::expected<void, Error> write_sealed(std::filesystem::path const& path, std::vector<std::byte> contents);
tl::expected<std::vector<std::byte>, Error> read_sealed(std::filesystem::path const& path,
                                                        ReadLimits const& limits = {});

// Whether write_file() could write there: tries it, and leaves behind no more than missing directories.
tl::expected<void, Error> check_writable(std::filesystem::path const& path);

// A new directory below TMPDIR, for nobody else to read; removed with all that is in it when this value goes.
class ScratchDirectory {
  public:
    // `purpose` stands in its name: "build" makes vmcheck-PID-build-XXXXXX. Fails where none can be made.
    static tl::expected<ScratchDirectory, Error> make(std::string_view purpose);
    // Those of this process, by their names: for one that ends without its destructors.
    static void remove_all();

    ScratchDirectory(ScratchDirectory&& other) noexcept;
    ScratchDirectory& operator=(ScratchDirectory&& other) noexcept;
    ~ScratchDirectory();

    std::filesystem::path const& path() const { return path_; }

  private:
    explicit ScratchDirectory(std::filesystem::path path);
    std::filesystem::path path_;  // empty: moved from
};

}  // namespace vmcheck::base
