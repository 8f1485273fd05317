#pragma once
// What the guest has printed, bounded: a guest that prints for ever must not exhaust the host's memory.

#include <cstdint>
#include <string>
#include <string_view>

namespace vmcheck::board {

class Console {
  public:
    explicit Console(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    void put(char character) {
        if (text_.size() < bytes_max_) {
            text_.push_back(character);
        } else {
            ++dropped_;
        }
    }
    std::string_view text() const { return text_; }
    std::uint64_t dropped() const { return dropped_; }

    // Output is only ever appended, so an earlier state is a length.
    struct Mark {
        std::size_t length = 0;
        std::uint64_t dropped = 0;
    };
    Mark mark() const { return {text_.size(), dropped_}; }
    // Back to a mark made on this console, or on another that began with the same text.
    void rewind(Mark mark) {
        if (mark.length < text_.size()) text_.resize(mark.length);
        dropped_ = mark.dropped;
    }
    // Starts over with `text`, as far as it fits.
    void assign(std::string_view text) {
        text_ = text.substr(0, bytes_max_);
        dropped_ = 0;
    }

  private:
    std::size_t bytes_max_;
    std::string text_;
    std::uint64_t dropped_ = 0;
};

}  // namespace vmcheck::board
