use super::*;

#[test]
fn every_fixed_answer_is_json() {
    for members in [DISCOVERY, TOOLS] {
        let answer: serde_json::Value = serde_json::from_slice(&result("1", members)).unwrap();
        assert_eq!(answer["result"]["resultType"], "complete");
    }
}

#[test]
fn the_listed_tool_is_the_one_that_is_called() {
    let answer: serde_json::Value = serde_json::from_slice(&result("1", TOOLS)).unwrap();
    assert_eq!(answer["result"]["tools"][0]["name"], payload::TOOL);
}

#[test]
fn the_size_of_the_answer_is_read_from_the_call() {
    let body = payload::call(5, 1024, 4096);
    let message: Message<'_> = serde_json::from_slice(&body).unwrap();
    assert_eq!(message.params.arguments.answer_bytes, 4096);
    assert_eq!(message.id.unwrap().get(), "5");
}
