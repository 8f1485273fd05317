#pragma once
// The page table of a finding in words, for text and HTML alike.

#include "checker/finding/finding.h"

#include <string>
#include <vector>

namespace vmcheck::report {

// "R W - U"
std::string rights_words(spec::Rights rights);

struct PageView {
    struct Row {
        std::string process;  // "p1", "p1 zombie"
        std::string before;   // "frame 0x87f3b  R W - U  1 PTE, count 1", "not mapped", "-" where there is no process
        std::string after;
    };
    std::string page;    // "heap (va 0x5000)"
    std::string before;  // "before step 4"
    std::string after;   // "after step 4"; "after steps 4 and 5" where these overlap
    std::vector<Row> rows;
};

// "frame 0x87f3b  R W - U  1 PTE, count 1", "not mapped"
std::string words_of(PageRow const& row);

// REQUIRES: the finding's evidence has pages.
PageView page_view(Finding const& finding);

}  // namespace vmcheck::report
