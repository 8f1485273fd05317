#pragma once
// Whether XML, or HTML as we write it, is well formed. Test-only.

#include <string>
#include <string_view>

namespace vmcheck::report::testing {

// What is wrong first; empty where nothing is. Tags must balance (HTML's meta needs no end), attributes be quoted,
// every & start an entity, and no control character or bad UTF-8 be there. The contents of <style> are not looked at.
std::string markup_error(std::string_view text);

// How often the tag is opened.
std::size_t count_tags(std::string_view text, std::string_view tag);

}  // namespace vmcheck::report::testing
