#include "impl/map/parts.h"

namespace vmcheck::map::parts {
namespace {

constexpr int kNestingMax = 12;
constexpr std::size_t kVisitsMax = 1U << 20;  // bounds the work that a hostile file can ask for

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
        if (++visits_ > kVisitsMax || nesting > kNestingMax) return;
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
        place.is_array = true;
        visit(name, place, nesting + 1);
    }

    DebugInfo const& debug_;
    std::vector<Scalar> found_;
    std::size_t visits_ = 0;
};

}  // namespace

std::vector<Scalar> scalars_of(DebugInfo const& debug) {
    return Search(debug).run();
}

}  // namespace vmcheck::map::parts
