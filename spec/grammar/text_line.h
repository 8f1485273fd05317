#pragma once
// Reads one line of a corpus file word by word, and remembers where it was when something did not fit. Internal.

#include "spec/text.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace vmcheck::spec {

template <class T>
using Parsed = tl::expected<T, ParseError>;

class TextLine {
  public:
    // `text` without its newline; a comment at its end is not seen.
    TextLine(std::string_view text, std::size_t number);

    // The next word; empty at the end of the line.
    std::string_view next();
    // The same without moving on.
    std::string_view peek();
    bool at_end() { return peek().empty(); }

    // An error at the word that next() returned last.
    tl::unexpected<ParseError> error_at_last(std::string expected) const;
    // An error if the line goes on.
    Parsed<std::monostate> expect_end(std::string expected);

    // Each reads the next word as what it says, or fails there.
    Parsed<ProcId> process(std::string_view expected);
    Parsed<std::uint64_t> number(std::uint64_t max, std::string_view expected);
    Parsed<std::int32_t> status();
    Parsed<std::int64_t> amount();  // sbrk's: 0, -1, +2p, 0x1000
    Parsed<Address> address();

  private:
    Parsed<std::int64_t> signed_amount(std::string_view digits, bool negative, std::string_view expected) const;

    std::string_view text_;
    std::size_t number_;
    std::size_t position_ = 0;
    std::size_t last_ = 0;  // where the last word starts
    std::string_view word_;
};

// Decimal or 0x hexadecimal, all of `digits`, without sign; nothing on overflow or any other character.
std::optional<std::uint64_t> parse_number(std::string_view digits);

}  // namespace vmcheck::spec
