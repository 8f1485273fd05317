#pragma once
// The disk of a machine that is to run one program and say how it ended: the given files, with the launcher as /init
// and the command in a file beside it.

#include "impl/image/disk_image.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace vmcheck::program {

// The launcher's ELF file (guest/launcher.c), carried inside this program.
std::span<std::byte const> launcher_file();

// `words`: the program's name as it is on the disk, then its arguments. Fails for more words or bytes than the
// launcher takes (impl/abi/launcher_abi.h), and where the files do not fit (image::make_image).
// REQUIRES: words is not empty, and no word holds a NUL.
tl::expected<std::vector<std::byte>, base::Error> make_disk(image::Contents files, image::Geometry const& geometry,
                                                            std::span<std::string const> words);

}  // namespace vmcheck::program
