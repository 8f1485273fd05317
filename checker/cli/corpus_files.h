#pragma once
// Where the parts of a corpus of fuzz lie (corpus.h), and its ledger.

#include "checker/report/night.h"
#include "impl/base/error.h"

#include <tl/expected.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::cli {

inline constexpr char const* kKept = "kept";
inline constexpr char const* kFound = "found";
inline constexpr char const* kLedger = "nightly.jsonl";
inline constexpr char const* kNightlyPage = "nightly.html";

// Empty where there is none yet. Fails where it is there and cannot be read.
tl::expected<std::string, base::Error> read_ledger(std::filesystem::path const& corpus);
// What is no line of a night is passed over.
std::vector<report::Night> nights_in(std::string_view ledger);
// And the page after it, which is made of it.
tl::expected<void, base::Error> write_ledger(std::filesystem::path const& corpus, std::string const& ledger);

}  // namespace vmcheck::cli
