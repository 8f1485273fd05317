#pragma once
// How a session goes, for a person. What stays is text; the progress of its programs is one line on standard error: on
// a terminal it is rewritten in place, elsewhere there is a new one every ten seconds.

#include "checker/session/session.h"

#include <chrono>
#include <cstdio>

namespace vmcheck::cli {

class TerminalObserver final : public session::Observer {
  public:
    TerminalObserver(std::FILE* text, bool colour);
    TerminalObserver(TerminalObserver const&) = delete;
    TerminalObserver& operator=(TerminalObserver const&) = delete;
    ~TerminalObserver() override;

    void on_kernel(SessionResult const& so_far) override;
    void on_progress(run::Progress const& progress) override;
    void on_run() override;
    void on_missing(std::string const& what) override;
    void on_confirm(std::size_t number, std::size_t total) override;

  private:
    // Takes the line away again.
    void clear();

    std::FILE* text_;
    bool colour_;
    bool terminal_;
    bool shown_ = false;
    std::chrono::steady_clock::time_point shown_at_;
    run::Progress last_;
};

}  // namespace vmcheck::cli
