#pragma once
// An open file descriptor, closed when it goes.

#include <unistd.h>

#include <utility>

namespace vmcheck::base {

class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() { close(); }

    bool valid() const { return number_ >= 0; }
    int number() const { return number_; }  // -1: none
    // False where what was written could not be kept.
    bool close() { return number_ < 0 || ::close(std::exchange(number_, -1)) == 0; }

  private:
    int number_ = -1;
};

}  // namespace vmcheck::base
