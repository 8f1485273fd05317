#include "spec/rules/pipe_rules.h"

#include <algorithm>

namespace vmcheck::spec {

std::vector<PipeContents> after_taking(PipeContents const& contents, std::size_t least, std::size_t most) {
    std::vector<PipeContents> result;
    for (std::size_t count = least; count <= std::min(most, contents.size()); ++count)
        result.emplace_back(contents.begin() + static_cast<std::ptrdiff_t>(count), contents.end());
    return result;
}

std::vector<PipeContents> after_adding(std::vector<PipeContents> const& contents, std::span<std::byte const> data,
                                       std::size_t least, std::size_t most) {
    std::vector<PipeContents> result;
    for (PipeContents const& each : contents)
        for (std::size_t count = least; count <= std::min(most, data.size()); ++count) {
            result.push_back(each);
            result.back().insert(result.back().end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(count));
        }
    return result;
}

void append(std::vector<PipeContents>& to, std::vector<PipeContents> const& more) {
    to.insert(to.end(), more.begin(), more.end());
}

}  // namespace vmcheck::spec
