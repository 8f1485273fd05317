#include "checker/class/files_testing.h"

#include <gtest/gtest.h>

namespace vmcheck::classes::testing {

namespace fs = std::filesystem;

fs::path Directory::file(std::string const& name, std::string const& contents) const {
    fs::path path = this->path() / name;
    auto const written = base::write_file(path, contents);
    EXPECT_TRUE(written) << written.error().message;
    return path;
}

fs::path Directory::tree(std::string const& name) const {
    file(name + "/kernel/main.c", "int main(void) { return 0; }\n");
    return file(name + "/Makefile", "kernel/kernel: kernel/main.c\n").parent_path();
}

fs::path Directory::kernel(std::string const& name, bool linked) const {
    std::string header(64, '\0');
    header.replace(0, 5,
                   std::string("\x7f"
                               "ELF\x02"));
    header[16] = linked ? 2 : 1;
    header[18] = static_cast<char>(243);
    return file(name, header);
}

std::string contents_of(fs::path const& path) {
    return base::read_file(path).value_or(std::string());
}

}  // namespace vmcheck::classes::testing
