use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "import", review = outcome(submitter_may, decide_within = "1h", submitter_may))]
struct Import {
    table: String,
}

fn main() {}
