# What kernels can be built: profiles, which are policies of the labs, and vintages, which are the ways in which
# xv6-riscv met the machine in each year. Every traits_<name> is a list of switches of config.h.

# Profiles: fork, then sbrk.
set(kernel_profiles cow-lazy cow-eager eager-lazy eager-eager)
set(traits_cow-lazy    KERNEL_FORK=copy_on_write KERNEL_SBRK=lazy)
set(traits_cow-eager   KERNEL_FORK=copy_on_write KERNEL_SBRK=eager)
set(traits_eager-lazy  KERNEL_FORK=eager         KERNEL_SBRK=lazy)
set(traits_eager-eager KERNEL_FORK=eager         KERNEL_SBRK=eager)

# Vintages: as the teaching tree of that year was handed out, with the policy that its labs led to (2022: the bare tree's).
set(kernel_vintages vintage-2020 vintage-2021 vintage-2022 vintage-2023 vintage-2024 vintage-2025)
set(traits_vintage-2020 ${traits_cow-lazy}
    KERNEL_TIMER=clint KERNEL_DISK=legacy KERNEL_USER_PAGES=all_rights KERNEL_FIRST_PROCESS=small_program KERNEL_PMP=untouched)
set(traits_vintage-2021 ${traits_cow-eager}
    KERNEL_TIMER=clint KERNEL_DISK=legacy KERNEL_USER_PAGES=all_rights KERNEL_FIRST_PROCESS=small_program)
set(traits_vintage-2022 ${traits_eager-eager} KERNEL_TIMER=clint KERNEL_FIRST_PROCESS=small_program)
set(traits_vintage-2023 ${traits_cow-eager} KERNEL_TIMER=clint KERNEL_FIRST_PROCESS=small_program)
set(traits_vintage-2024 ${traits_cow-eager} KERNEL_FIRST_PROCESS=small_program)
set(traits_vintage-2025 KERNEL_FORK=copy_on_write KERNEL_SBRK=by_argument KERNEL_UART=interrupts)
