#include "checker/class/files_testing.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

namespace vmcheck::classes::testing {

namespace fs = std::filesystem;

Directory::Directory() {
    std::string name = (fs::temp_directory_path() / "vmcheck-class-XXXXXX").string();
    path_ = mkdtemp(name.data());
}

Directory::~Directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

fs::path Directory::file(std::string const& name, std::string const& contents) const {
    fs::path path = path_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << contents;
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
    std::ostringstream contents;
    contents << std::ifstream(path, std::ios::binary).rdbuf();
    return contents.str();
}

}  // namespace vmcheck::classes::testing
