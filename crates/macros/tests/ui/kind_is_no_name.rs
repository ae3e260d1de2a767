use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "send welcome email")]
struct SendWelcomeEmail {
    to: String,
}

fn main() {}
