//! Which system calls a program in a jail may not make: those by which others have left such jails, or reached what is below.
//!
//! A list of what is forbidden and not of what is allowed: runtimes make new calls with each release, and what stands here is
//! the second wall behind namespaces without capabilities.

#![cfg(target_os = "linux")]

use std::io;

use libc::{c_long, sock_filter, sock_fprog};

/// Fail with "not permitted".
#[rustfmt::skip]
const FORBIDDEN: &[c_long] = &[
    // Other namespaces and mounts.
    libc::SYS_unshare, libc::SYS_setns, libc::SYS_mount, libc::SYS_umount2, libc::SYS_pivot_root, libc::SYS_chroot,
    libc::SYS_move_mount, libc::SYS_open_tree, libc::SYS_fsopen, libc::SYS_fsconfig, libc::SYS_fsmount, libc::SYS_fspick,
    libc::SYS_mount_setattr, libc::SYS_open_by_handle_at, libc::SYS_name_to_handle_at,
    // Other processes.
    libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev, libc::SYS_kcmp, libc::SYS_pidfd_getfd,
    // The kernel's own languages and queues.
    libc::SYS_bpf, libc::SYS_perf_event_open, libc::SYS_userfaultfd, libc::SYS_io_uring_setup, libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Keys, modules, clocks, and the machine itself.
    libc::SYS_keyctl, libc::SYS_add_key, libc::SYS_request_key, libc::SYS_init_module, libc::SYS_finit_module,
    libc::SYS_delete_module, libc::SYS_kexec_load, libc::SYS_reboot, libc::SYS_swapon, libc::SYS_swapoff, libc::SYS_acct,
    libc::SYS_quotactl, libc::SYS_syslog, libc::SYS_settimeofday, libc::SYS_clock_settime, libc::SYS_clock_adjtime,
    libc::SYS_adjtimex, libc::SYS_sethostname, libc::SYS_setdomainname, libc::SYS_vhangup, libc::SYS_lookup_dcookie,
];

/// Flags of `clone` that make namespaces.
const NAMESPACES: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP)
    .cast_unsigned();

/// Of `struct seccomp_data`: the number of the call, the kind of machine, and the low half of the first argument.
pub(super) const NUMBER_AT: u32 = 0;
pub(super) const MACHINE_AT: u32 = 4;
const FIRST_AT: u32 = 16;
/// `AUDIT_ARCH_…` of this machine.
#[cfg(target_arch = "x86_64")]
pub(super) const MACHINE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
pub(super) const MACHINE: u32 = 0xc000_00b7;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) const MACHINE: u32 = 0;
/// Numbers from here on are of another set of calls, on machines that have one.
const OTHER_SET: u32 = 0x4000_0000;

pub(super) const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
pub(super) const EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const AT_LEAST: u32 = libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K;
const ANY_OF: u32 = libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K;
pub(super) const ANSWER: u32 = libc::BPF_RET | libc::BPF_K;
pub(super) const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;

/// Puts the filter before this process for good, and before all that it will start.
pub(super) fn install() -> io::Result<()> {
    if MACHINE == 0 {
        return Err(io::Error::other("there is no filter of system calls for this machine"));
    }
    let mut steps = steps();
    let len = u16::try_from(steps.len()).map_err(io::Error::other)?;
    let program = sock_fprog { len, filter: steps.as_mut_ptr() };
    #[expect(unsafe_code, reason = "no safe function installs a filter")]
    // SAFETY: the kernel copies the program, which lives until the call is over, and keeps no pointer to it.
    let result = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn steps() -> Vec<sock_filter> {
    let refuse = |error: i32| step(ANSWER, libc::SECCOMP_RET_ERRNO | error.cast_unsigned());
    let allow = || step(ANSWER, libc::SECCOMP_RET_ALLOW);
    let number = |call: c_long| u32::try_from(call).unwrap_or(u32::MAX);
    let mut steps = vec![
        step(LOAD, MACHINE_AT),
        jump(EQUAL, MACHINE, 1, 0),
        step(ANSWER, libc::SECCOMP_RET_KILL_PROCESS),
        step(LOAD, NUMBER_AT),
        jump(AT_LEAST, OTHER_SET, 0, 1),
        refuse(libc::EPERM),
        // Its flags lie in memory, where nobody could look at them: programs fall back to `clone`.
        jump(EQUAL, number(libc::SYS_clone3), 0, 1),
        refuse(libc::ENOSYS),
    ];
    for call in FORBIDDEN {
        steps.extend([jump(EQUAL, number(*call), 0, 1), refuse(libc::EPERM)]);
    }
    steps.extend([
        jump(EQUAL, number(libc::SYS_clone), 0, 4),
        step(LOAD, FIRST_AT),
        jump(ANY_OF, NAMESPACES, 0, 1),
        refuse(libc::EPERM),
        allow(),
    ]);
    // Within its network there is nobody, but a family of sockets is a part of the kernel, too.
    steps.extend([
        jump(EQUAL, number(libc::SYS_socket), 0, 5),
        step(LOAD, FIRST_AT),
        jump(EQUAL, libc::AF_UNIX.cast_unsigned(), 3, 0),
        jump(EQUAL, libc::AF_INET.cast_unsigned(), 2, 0),
        jump(EQUAL, libc::AF_INET6.cast_unsigned(), 1, 0),
        refuse(libc::EAFNOSUPPORT),
        allow(),
    ]);
    steps
}

pub(super) fn step(code: u32, k: u32) -> sock_filter {
    jump(code, k, 0, 0)
}

pub(super) fn jump(code: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    // Every code is less than 2¹⁶.
    sock_filter { code: u16::try_from(code).unwrap_or(u16::MAX), jt, jf, k }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows the filter as the kernel does.
    fn answer(machine: u32, number: c_long, first: i32) -> u32 {
        let (steps, mut at, mut held) = (steps(), 0, 0);
        loop {
            let sock_filter { code, jt, jf, k } = steps[at];
            at += 1;
            let code = u32::from(code);
            let goes = match code {
                LOAD => {
                    held = match k {
                        NUMBER_AT => u32::try_from(number).unwrap(),
                        MACHINE_AT => machine,
                        _ => first.cast_unsigned(),
                    };
                    continue;
                }
                ANSWER => return k,
                EQUAL => held == k,
                AT_LEAST => held >= k,
                ANY_OF => held & k != 0,
                other => panic!("{other}"),
            };
            at += usize::from(if goes { jt } else { jf });
        }
    }

    #[test]
    fn calls_that_leave_jails_are_refused_and_others_are_not() {
        let refused = |error: i32| libc::SECCOMP_RET_ERRNO | error.cast_unsigned();
        for call in FORBIDDEN {
            assert_eq!(answer(MACHINE, *call, 0), refused(libc::EPERM), "{call}");
        }
        for call in [libc::SYS_read, libc::SYS_execve, libc::SYS_openat, libc::SYS_connect, libc::SYS_futex] {
            assert_eq!(answer(MACHINE, call, 0), libc::SECCOMP_RET_ALLOW, "{call}");
        }
        assert_eq!(answer(MACHINE, libc::SYS_clone, libc::CLONE_NEWUSER), refused(libc::EPERM));
        assert_eq!(answer(MACHINE, libc::SYS_clone, libc::CLONE_VM | libc::SIGCHLD), libc::SECCOMP_RET_ALLOW);
        assert_eq!(answer(MACHINE, libc::SYS_clone3, 0), refused(libc::ENOSYS));
        for family in [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6] {
            assert_eq!(answer(MACHINE, libc::SYS_socket, family), libc::SECCOMP_RET_ALLOW);
        }
        for family in [libc::AF_NETLINK, libc::AF_PACKET, libc::AF_VSOCK, libc::AF_ALG] {
            assert_eq!(answer(MACHINE, libc::SYS_socket, family), refused(libc::EAFNOSUPPORT));
        }
        assert_eq!(answer(MACHINE, c_long::from(OTHER_SET) + libc::SYS_ptrace, 0), refused(libc::EPERM));
        assert_eq!(answer(MACHINE ^ 1, libc::SYS_read, 0), libc::SECCOMP_RET_KILL_PROCESS);
    }
}
