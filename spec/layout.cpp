#include "spec/layout.h"

namespace vmcheck::spec {

std::string to_string(Rights rights) {
    std::string text = "----";
    if (rights.read) text[0] = 'R';
    if (rights.write) text[1] = 'W';
    if (rights.execute) text[2] = 'X';
    if (rights.user) text[3] = 'U';
    return text;
}

Contents zero_page() {
    static Contents const zeros = std::make_shared<PageBytes const>();
    return zeros;
}

}  // namespace vmcheck::spec
