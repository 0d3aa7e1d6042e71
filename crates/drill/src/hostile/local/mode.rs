//! The catalogue of what a local server does to whoever started it.

/// How a local server treats the process that started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// As it should.
    Honest,
    /// Answers a call with its environment, its open files, and what it could read of other processes and which of
    /// those above it it could end.
    TellsEnvironment,
    /// Starts a process that holds its output open and lives for ten minutes, in a process group of its own.
    LeavesAChild,
    /// The same in a session of its own, deaf to being asked to end, and no child of anybody it knows.
    LeavesAnOrphan,
    /// Starts as many processes as it may, 128 at most, and answers with their number.
    StartsMany,
    /// Takes as much memory as it may, 512 MiB at most, and answers with the number of MiB.
    EatsMemory,
    /// Opens as many files as it may, 4,096 at most, and answers with their number.
    OpensMany,
    /// Writes a file as long as it may, 256 MiB at most, and answers with the number of MiB.
    WritesMuch,
    /// Writes to its standard error without end.
    FloodsErrors,
    /// Takes a call and says nothing.
    NeverAnswers,
    /// Takes whatever introduces the client and says nothing.
    NeverIntroducesItself,
    /// Ends in the middle of a call.
    ExitsMidCall,
    /// Closes its output in the middle of a call, and stays.
    ClosesOutput,
    /// Stays when its input ends, and when it is asked to end.
    Stays,
    /// Writes a line that is not JSON, and not text, before the answer.
    WritesGarbage,
    /// Writes a line without end.
    NeverEndsALine,
    /// Answers a request nobody made.
    AnswersAnotherId,
    /// Answers twice, the second time differently.
    AnswersTwice,
    /// Sends questions of its own before the answer: of the user, of the model, and for the client's roots.
    Asks,
    /// Reports progress of calls nobody made, logs, and tells of a resource nobody watches, before the answer.
    Chatters,
    /// Answers a call with the reports that it was asked for since it was started, this one included.
    Remembers,
    /// Takes a call, reports progress of it and of every call it has not answered, and says nothing else.
    ReportsProgress,
    /// Lists other definitions than before, and says that they changed to whoever listens, before the answer.
    ChangesDefinitions,
    /// Lists other definitions than before, and says nothing of it.
    ChangesSilently,
}

impl Mode {
    /// Every mode, the honest one first.
    pub const ALL: [Self; 24] = [
        Self::Honest,
        Self::TellsEnvironment,
        Self::LeavesAChild,
        Self::LeavesAnOrphan,
        Self::StartsMany,
        Self::EatsMemory,
        Self::OpensMany,
        Self::WritesMuch,
        Self::FloodsErrors,
        Self::NeverAnswers,
        Self::NeverIntroducesItself,
        Self::ExitsMidCall,
        Self::ClosesOutput,
        Self::Stays,
        Self::WritesGarbage,
        Self::NeverEndsALine,
        Self::AnswersAnotherId,
        Self::AnswersTwice,
        Self::Asks,
        Self::Chatters,
        Self::Remembers,
        Self::ReportsProgress,
        Self::ChangesDefinitions,
        Self::ChangesSilently,
    ];

    /// The word for it in the server's directory.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Honest => "honest",
            Self::TellsEnvironment => "tells-environment",
            Self::LeavesAChild => "leaves-a-child",
            Self::LeavesAnOrphan => "leaves-an-orphan",
            Self::StartsMany => "starts-many",
            Self::EatsMemory => "eats-memory",
            Self::OpensMany => "opens-many",
            Self::WritesMuch => "writes-much",
            Self::FloodsErrors => "floods-errors",
            Self::NeverAnswers => "never-answers",
            Self::NeverIntroducesItself => "never-introduces-itself",
            Self::ExitsMidCall => "exits-mid-call",
            Self::ClosesOutput => "closes-output",
            Self::Stays => "stays",
            Self::WritesGarbage => "writes-garbage",
            Self::NeverEndsALine => "never-ends-a-line",
            Self::AnswersAnotherId => "answers-another-id",
            Self::AnswersTwice => "answers-twice",
            Self::Asks => "asks",
            Self::Chatters => "chatters",
            Self::Remembers => "remembers",
            Self::ReportsProgress => "reports-progress",
            Self::ChangesDefinitions => "changes-definitions",
            Self::ChangesSilently => "changes-silently",
        }
    }
}
