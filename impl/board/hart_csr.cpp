// The CSRs that Unicorn's CPU lacks and kernels of the xv6 family use: time (0xc01), and of the Sstc extension stimecmp
// (0x14d) and menvcfg (0x30a). Sources: RISC-V privileged spec, "Counters", "Machine Environment Configuration
// Register"; the Sstc extension, version 1.0.

#include "impl/board/machine.h"

namespace vmcheck::board {
namespace {

constexpr unsigned kStimecmp = 0x14d;
constexpr unsigned kMenvcfg = 0x30a;
constexpr unsigned kTime = 0xc01;
constexpr std::uint64_t kCounterEnableTime = 1 << 1;                   // mcounteren.TM, scounteren.TM
constexpr std::uint64_t kTimerCompareEnable = std::uint64_t{1} << 63;  // menvcfg.STCE

}  // namespace

bool Hart::uses_supervisor_timer() const {
    return (state.environment_configuration & kTimerCompareEnable) != 0;
}

bool Hart::may_access_csr(unsigned csr) {
    Privilege const privilege = engine_.privilege();
    if (privilege == Privilege::machine) return true;
    if (csr == kMenvcfg) return false;
    CsrWindow const window{engine_};
    if (!(engine_.read_raw(UC_RISCV_REG_MCOUNTEREN) & kCounterEnableTime)) return false;
    if (csr == kStimecmp) return privilege == Privilege::supervisor && uses_supervisor_timer();
    return privilege == Privilege::supervisor || (engine_.read_raw(UC_RISCV_REG_SCOUNTEREN) & kCounterEnableTime);
}

bool Hart::emulate_csr(std::uint32_t instruction) {
    std::optional<CsrAccess> const access = decode_csr_access(instruction);
    if (!access) return false;
    std::uint64_t time = machine_.clock.time();
    std::uint64_t* target = nullptr;
    switch (access->csr) {
        case kStimecmp:
            target = &state.supervisor_timer_compare;
            break;
        case kMenvcfg:
            target = &state.environment_configuration;
            break;
        case kTime:
            target = &time;
            break;
        default:
            return false;
    }
    bool const read_only = access->csr == kTime;
    if ((read_only && access->writes()) || !may_access_csr(access->csr)) return false;

    std::uint64_t const old_value = *target;
    std::uint64_t const source = access->immediate ? access->source : engine_.read_general(access->source);
    if (access->writes()) {
        switch (access->operation) {
            case CsrAccess::Operation::write:
                *target = source;
                break;
            case CsrAccess::Operation::set:
                *target = old_value | source;
                break;
            case CsrAccess::Operation::clear:
                *target = old_value & ~source;
                break;
        }
        machine_.limits.attention = 0;  // the timer may be due earlier now, or later
        refresh_supervisor_lines();
    }
    engine_.write_general(access->destination, old_value);
    ++machine_.counters.csr_emulations;
    return true;
}

}  // namespace vmcheck::board
