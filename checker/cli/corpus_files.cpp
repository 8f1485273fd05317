#include "checker/cli/corpus_files.h"

#include "impl/base/files.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace vmcheck::cli {

tl::expected<std::string, base::Error> read_ledger(std::filesystem::path const& corpus) {
    // A line for each night, each of a few thousand bytes.
    auto ledger = base::read_file(corpus / kLedger, {.bytes_max = std::uint64_t{1} << 30});
    if (!ledger && ledger.error().kind == base::Error::Kind::no_such_file) return std::string();
    return ledger;
}

std::vector<report::Night> nights_in(std::string_view ledger) {
    std::vector<report::Night> nights;
    for (std::size_t at = 0; at < ledger.size();) {
        std::size_t const end = std::min(ledger.find('\n', at), ledger.size());
        if (auto night = report::parse_night(ledger.substr(at, end - at))) nights.push_back(std::move(*night));
        at = end + 1;
    }
    return nights;
}

tl::expected<void, base::Error> write_ledger(std::filesystem::path const& corpus, std::string const& ledger) {
    if (auto written = base::write_file_for_good(corpus / kLedger, ledger); !written) return written;
    return base::write_file_for_good(corpus / kNightlyPage, report::night_page(nights_in(ledger)));
}

}  // namespace vmcheck::cli
