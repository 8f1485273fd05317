#include "impl/map/variable_path.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace vmcheck::map {
namespace {

constexpr int kWrappersMax = 32;       // classes around one value
constexpr int kMembersNestedMax = 16;  // base classes and anonymous members inside each other
constexpr int kStepsMax = 1 << 16;

tl::unexpected<Missing> missing(std::string reason) {
    return tl::make_unexpected(Missing{std::move(reason)});
}

bool is_structure(Type const& type) {
    return type.kind == Type::Kind::kStructure;
}

// The one member that a structure wraps, if all else in it is empty base classes.
Member const* only_member(DebugInfo const& debug, Type const& type) {
    Member const* only = nullptr;
    for (Member const& member : type.members) {
        Type const& inside = debug.types[member.type];
        if (is_structure(inside) && inside.members.empty()) continue;
        if (only != nullptr) return nullptr;
        only = &member;
    }
    if (only == nullptr || only->offset != 0 || only->is_bit_field) return nullptr;
    return debug.types[only->type].bytes == type.bytes ? only : nullptr;
}

struct FoundMember {
    std::uint64_t offset;
    Member const* member;
};

// The member of that name, also inside base classes and anonymous members. `steps` bounds the work: a hostile file
// can nest the same type exponentially often.
std::optional<FoundMember> search_member(DebugInfo const& debug, TypeIndex structure, std::string_view name,
                                         int nesting, int& steps) {
    Type const& type = debug.types[structure];
    for (Member const& member : type.members) {
        if (++steps > kStepsMax) return std::nullopt;
        if (member.name == name) return FoundMember{member.offset, &member};
    }
    if (nesting == kMembersNestedMax) return std::nullopt;
    for (Member const& member : type.members) {
        if (!member.name.empty()) continue;
        auto const inside = search_member(debug, member.type, name, nesting + 1, steps);
        if (inside) return FoundMember{member.offset + inside->offset, inside->member};
    }
    return std::nullopt;
}

std::optional<FoundMember> search_member(DebugInfo const& debug, TypeIndex structure, std::string_view name) {
    int steps = 0;
    return search_member(debug, structure, name, 0, steps);
}

std::vector<std::string_view> split_at_dots(std::string_view path) {
    std::vector<std::string_view> parts;
    for (std::size_t start = 0;;) {
        std::size_t const dot = path.find('.', start);
        parts.push_back(path.substr(start, dot == std::string_view::npos ? dot : dot - start));
        if (dot == std::string_view::npos) return parts;
        start = dot + 1;
    }
}

// What is said where a name leads nowhere; debug information that could not be read is the likeliest cause.
std::string with_note(DebugInfo const& debug, std::string const& reason) {
    return debug.note.empty() ? reason : reason + " " + debug.note;
}

Part<Variable const*> pick_variable(DebugInfo const& debug, std::string_view name) {
    Variable const* found = nullptr;
    Variable const* namesake = nullptr;
    for (Variable const& variable : debug.variables) {
        std::string_view const full = variable.name;
        if (full == name) {
            if (found != nullptr) {
                return missing(
                    fmt::format("There are several variables {}, in {} and in {}.", name, found->file, variable.file));
            }
            found = &variable;
        } else if (full.size() > name.size() + 2 && full.ends_with(name) &&
                   full.substr(full.size() - name.size() - 2, 2) == "::") {
            namesake = &variable;
        }
    }
    if (found != nullptr) return found;
    if (debug.variables.empty() && !debug.note.empty())
        return missing(fmt::format("The variable {} cannot be found. {}", name, debug.note));
    std::string reason = fmt::format("There is no global variable {}", name);
    reason += namesake != nullptr ? fmt::format("; {} is meant, perhaps.", namesake->name) : ".";
    return missing(with_note(debug, reason));
}

// A place on its way along a path.
class Walk {
  public:
    Walk(DebugInfo const& debug, std::string_view path, Variable const& variable) : debug_(debug), path_(path) {
        place_.address = variable.address;
        place_.type = variable.type;
        measure();
        place_.stride = place_.bytes;
    }

    // Goes on to the member `name`.
    Part<void> enter_member(std::string_view name) {
        for (int step = 0; step < kWrappersMax; ++step) {
            Type const& type = debug_.types[place_.type];
            if (type.kind == Type::Kind::kArray) {
                if (auto entered = enter_elements(); !entered) return entered;
            } else if (type.kind == Type::Kind::kPointer) {
                if (auto followed = follow_pointer(); !followed) return followed;
            } else if (auto const found = search_member(debug_, place_.type, name)) {
                if (found->member->is_bit_field) return fail(fmt::format("{} is a bit-field", name));
                move_by(found->offset);
                place_.type = found->member->type;
                measure();
                if (!place_.is_array) place_.stride = place_.bytes;
                return {};
            } else if (Member const* const only = only_member(debug_, type)) {
                place_.type = only->type;
            } else {
                break;
            }
        }
        std::string const& type_name = debug_.types[place_.type].name;
        return fail(fmt::format("there is no member {} in {}", name, type_name.empty() ? "its type" : type_name));
    }

    // Goes into arrays, and into wrappers around arrays and scalars, as far as possible.
    Part<Place> finish() {
        for (int step = 0; step < kWrappersMax; ++step) {
            Type const& type = debug_.types[place_.type];
            if (type.kind == Type::Kind::kArray) {
                if (auto entered = enter_elements(); !entered) return tl::make_unexpected(entered.error());
                continue;
            }
            TypeIndex const inside = unwrap(debug_, place_.type);
            if (inside == place_.type || is_structure(debug_.types[inside])) break;
            place_.type = inside;
        }
        measure();
        if (place_.bytes == 0) return fail("its size is not known");
        return place_;
    }

  private:
    tl::unexpected<Missing> fail(std::string_view what) const {
        return missing(with_note(debug_, fmt::format("{} cannot be used: {}.", path_, what)));
    }

    void measure() { place_.bytes = debug_.types[place_.type].bytes; }

    void move_by(std::uint64_t offset) {
        if (place_.behind_pointer)
            place_.offset_behind_pointer += offset;
        else
            place_.address = place_.address + offset;
    }

    // From an array to its elements. An array of arrays without anything between is one array.
    Part<void> enter_elements() {
        Type const& array = debug_.types[place_.type];
        // What a pointer points to may be one structure as well as many: an array in it makes it one.
        bool const inside_array = place_.is_array && place_.count != 0;
        if (inside_array && place_.stride != array.bytes) return fail("there is an array inside an array's elements");
        if (array.count == 0 && !place_.behind_pointer) return fail("the number of its elements is not known");
        std::uint64_t count = array.count;
        if (inside_array && __builtin_mul_overflow(count, place_.count, &count)) return fail("it is too large");
        place_.type = array.target;
        measure();
        place_.count = count;
        place_.row = array.count;
        place_.stride = place_.bytes;
        place_.is_array = true;
        return {};
    }

    Part<void> follow_pointer() {
        if (place_.is_array || place_.behind_pointer)
            return fail("there is a second pointer, or an array of pointers, on the way");
        place_.type = debug_.types[place_.type].target;
        measure();
        place_.behind_pointer = true;
        place_.is_array = true;
        place_.count = 0;
        place_.stride = place_.bytes;
        return {};
    }

    DebugInfo const& debug_;
    std::string_view path_;
    Place place_;
};

constexpr int kSearchNestingMax = 12;
constexpr std::size_t kVisitsMax = 1U << 20;  // bounds the work that a hostile file can ask for

// Every scalar of every variable.
class Search {
  public:
    explicit Search(DebugInfo const& debug) : debug_(debug) {}

    std::vector<Scalar> run() {
        for (Variable const& variable : debug_.variables) {
            Place place;
            place.address = variable.address;
            place.type = variable.type;
            visit(variable.name, place, 0);
        }
        return std::move(found_);
    }

  private:
    void visit(std::string const& name, Place place, int nesting) {
        if (++visits_ > kVisitsMax || nesting > kSearchNestingMax) return;
        Type const& type = debug_.types[place.type];
        place.bytes = type.bytes;
        if (!place.is_array) place.stride = type.bytes;
        switch (type.kind) {
            case Type::Kind::kInteger:
            case Type::Kind::kPointer:
            case Type::Kind::kEnumeration:
                if (place.bytes > 0) found_.push_back({name, place});
                return;
            case Type::Kind::kStructure:
                return visit_members(name, place, type, nesting);
            case Type::Kind::kArray:
                return visit_elements(name, place, type, nesting);
            case Type::Kind::kOther:
                return;
        }
    }

    void visit_members(std::string const& name, Place const& structure, Type const& type, int nesting) {
        for (Member const& member : type.members) {
            if (member.is_bit_field) continue;
            Place place = structure;
            place.address = structure.address + member.offset;
            place.type = member.type;
            visit(member.name.empty() ? name : name + "." + member.name, place, nesting + 1);
        }
    }

    void visit_elements(std::string const& name, Place place, Type const& array, int nesting) {
        bool const continues = place.is_array && place.stride == array.bytes;
        std::uint64_t count = array.count;
        if ((place.is_array && !continues) || count == 0) return;
        if (continues && __builtin_mul_overflow(count, place.count, &count)) return;
        place.type = array.target;
        place.stride = debug_.types[array.target].bytes;
        place.count = count;
        place.row = array.count;
        place.is_array = true;
        visit(name, place, nesting + 1);
    }

    DebugInfo const& debug_;
    std::vector<Scalar> found_;
    std::size_t visits_ = 0;
};

}  // namespace

TypeIndex unwrap(DebugInfo const& debug, TypeIndex type) {
    for (int step = 0; step < kWrappersMax && is_structure(debug.types[type]); ++step) {
        Member const* const only = only_member(debug, debug.types[type]);
        if (only == nullptr) break;
        type = only->type;
    }
    return type;
}

Part<Place> find_variable(DebugInfo const& debug, std::string_view path) {
    auto const parts = split_at_dots(path);
    auto const variable = pick_variable(debug, parts.front());
    if (!variable) return tl::make_unexpected(variable.error());
    Walk walk(debug, path, **variable);
    for (std::size_t i = 1; i < parts.size(); ++i)
        if (auto entered = walk.enter_member(parts[i]); !entered) return tl::make_unexpected(entered.error());
    return walk.finish();
}

Part<MemberPlace> find_member(DebugInfo const& debug, TypeIndex structure, std::string_view path) {
    MemberPlace place;
    place.type = structure;
    for (std::string_view const name : split_at_dots(path)) {
        auto found = search_member(debug, place.type, name);
        if (!found) found = search_member(debug, unwrap(debug, place.type), name);
        if (!found || found->member->is_bit_field) {
            std::string const& in = debug.types[place.type].name;
            return missing(fmt::format("There is no {} {} in {}.",
                                       found ? "member that is not a bit-field called" : "member", name,
                                       in.empty() ? "that type" : in));
        }
        place.offset += found->offset;
        place.type = found->member->type;
    }
    TypeIndex const inside = unwrap(debug, place.type);
    if (!is_structure(debug.types[inside])) place.type = inside;
    place.bytes = debug.types[place.type].bytes;
    if (place.bytes == 0) return missing(fmt::format("The size of {} is not known.", path));
    return place;
}

std::vector<Scalar> scalars_of(DebugInfo const& debug) {
    return Search(debug).run();
}

}  // namespace vmcheck::map
