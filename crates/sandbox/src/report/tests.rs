use super::*;

#[test]
fn a_report_is_read_as_it_was_written() {
    let ends = [End::Status(0), End::Status(-1), End::Signal(9), End::Unknown];
    let causes = [
        Cause::Itself,
        Cause::Asked,
        Cause::Memory { used_bytes: u64::MAX },
        Cause::Processes { count: 65 },
        Cause::SupervisorLost,
    ];
    let mut reports = vec![
        Report::Started { pid: 4_194_304, wall: Wall::Whole },
        Report::Started { pid: 1, wall: Wall::Memory },
        Report::Started { pid: 1, wall: Wall::None },
    ];
    reports.extend(Step::ALL.iter().map(|&step| Report::Failed { step, errno: libc::ENOENT }));
    for end in ends {
        reports.extend(causes.map(|cause| Report::Ended(Exit { end, cause, all_gone: end == End::Unknown })));
    }
    for report in reports {
        assert_eq!(Report::decode(&report.encode()), Some(report));
    }
}

#[test]
fn what_no_supervisor_writes_is_no_report() {
    assert_eq!(Report::decode(&[0; REPORT_BYTES]), None);
    assert_eq!(Report::decode(&[0xff; REPORT_BYTES]), None);
}
