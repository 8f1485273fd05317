#include "checker/report/escape.h"

#include "checker/report/sample_testing.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

namespace vmcheck::report {
namespace {

TEST(Escape, TextThatIsPrintableStaysAsItIs) {
    EXPECT_EQ(printable("panic: remap → é\n\t."), "panic: remap → é\n\t.");
}

TEST(Escape, TerminalSequencesAndBadBytesBecomeReplacementCharacters) {
    EXPECT_EQ(printable("\x1b[2J"), "\xef\xbf\xbd[2J");
    EXPECT_EQ(printable("\xff\xc3"), "\xef\xbf\xbd\xef\xbf\xbd");
    EXPECT_EQ(printable("\xc2\x9b"), "\xef\xbf\xbd") << "a control character of two bytes";
    EXPECT_EQ(printable("a\xe2\x80\xae"
                        "b\xe2\x81\xa6"
                        "c"),
              "a\xef\xbf\xbd"
              "b\xef\xbf\xbd"
              "c")
        << "U+202E, U+2066";
}

TEST(Escape, NamesWhatEachFormatTripsOver) {
    EXPECT_EQ(escape_markup("<a href='x'>&\"</a>"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;");
    EXPECT_EQ(escape_message("50%\n::error"), "50%25%0A::error");
    EXPECT_EQ(escape_property("a,b:c"), "a%2Cb%3Ac");
    EXPECT_EQ(escape_c_string("a\\\"\n?"), "a\\\\\\\"\\n\\?");
    EXPECT_EQ(escape_c_comment("one\ntwo \\"), "one two");
}

RC_GTEST_PROP(EscapeProperty, WhateverComesInIsValidUtf8WithoutControlsAndStaysSo, ()) {
    std::string const text = printable(*testing::any_bytes());
    RC_ASSERT(printable(text) == text);
    // nlohmann's strict writer throws at anything that is not UTF-8.
    RC_ASSERT(!nlohmann::json(text).dump().empty());
    for (char const c : text) RC_ASSERT(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t');
}

RC_GTEST_PROP(EscapeProperty, MarkupHasNoCharacterThatEndsTextOrAttribute, ()) {
    RC_ASSERT(escape_markup(*testing::any_bytes()).find_first_of("<>\"'") == std::string::npos);
}

RC_GTEST_PROP(EscapeProperty, CommandsAndCommentsStayOnTheirLine, ()) {
    std::string const bytes = *testing::any_bytes();
    RC_ASSERT(escape_message(bytes).find('\n') == std::string::npos);
    RC_ASSERT(escape_property(bytes).find_first_of("\n:,") == std::string::npos);
    std::string const comment = escape_c_comment(bytes);
    RC_ASSERT(comment.find('\n') == std::string::npos && (comment.empty() || comment.back() != '\\'));
}

TEST(ShellWord, IsReadBackByAShell) {
    EXPECT_EQ(shell_line({"gdb-multiarch", "-ex", "target remote 127.0.0.1:1", "it's", ""}),
              "gdb-multiarch -ex 'target remote 127.0.0.1:1' 'it'\\''s' ''");
}

}  // namespace
}  // namespace vmcheck::report
