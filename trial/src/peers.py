"""Asks other scanners what they see: JSON lines {"topic", "text"} in, one object of lists of 0 and 1 per peer out.

Each peer answers in the order of the texts of its topic; of personal data with the spans it saw. Each text is asked
about twice, so that nobody's first look counts, and seconds are what the second calls took together.
"""

import asyncio
import json
import logging
import os
import subprocess
import sys
import tempfile
import time

logging.disable(logging.CRITICAL)


def cisco():
    from mcpscanner.core.analyzers.yara_analyzer import YaraAnalyzer

    analyzer = YaraAnalyzer()
    loop = asyncio.new_event_loop()
    scan = lambda text: bool(loop.run_until_complete(analyzer.analyze(text, {})))
    return {"result": scan, "definition": scan}


def microsoft():
    from agent_os.mcp_response_scanner import MCPResponseScanner
    from agent_os.mcp_security import MCPSecurityScanner

    results, definitions = MCPResponseScanner(), MCPSecurityScanner()
    injected = lambda threat: "inject" in str(getattr(threat, "category", threat)).lower()
    return {
        "result": lambda text: any(map(injected, results.scan_response(text, "tool").threats)),
        "definition": lambda text: bool(definitions.scan_tool("tool", text)),
    }


def contextforge():
    from cpex_secrets_detection import py_scan_container

    return {"secret": lambda text: py_scan_container(text, {"enabled": {}})[0] > 0}


def yelp():
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import default_settings

    def scan(text):
        return any(True for line in text.splitlines() for _ in scan_line(line))

    default_settings().__enter__()
    return {"secret": scan}


def cpex_personal():
    from cpex_pii_filter import PIIDetectorRust

    detector = PIIDetectorRust({})
    spans = lambda text: [[one["start"], one["end"]] for found in detector.detect(text).values() for one in found]
    return {"personal": spans}


def presidio():
    import tldextract

    # Its list of domains is the one it ships with.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    from presidio_analyzer import PatternRecognizer, RecognizerRegistry

    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    recognizers = [one for one in registry.recognizers if isinstance(one, PatternRecognizer)]

    def spans(text):
        found = []
        for one in recognizers:
            found += one.analyze(text, one.supported_entities, None)
        return [[one.start, one.end] for one in found]

    return {"personal": spans}


def kingfisher(texts):
    """Scans files: each text is one."""
    with tempfile.TemporaryDirectory() as directory:
        for number, text in enumerate(texts):
            with open(f"{directory}/{number}.txt", "w", encoding="utf-8") as file:
                file.write(text)
        command = ["scan", directory, "--no-validate", "--format", "json", "--no-update-check", "--no-dedup"]
        begun = time.perf_counter()
        program = os.path.join(os.path.dirname(sys.executable), "kingfisher")
        done = subprocess.run([program, *command], capture_output=True, text=True)
        seconds = time.perf_counter() - begun
        report, _ = json.JSONDecoder().raw_decode(done.stdout)
        found = {os.path.basename(one["finding"]["path"]).split(".")[0] for one in report["findings"]}
        return [int(str(number) in found) for number in range(len(texts))], seconds


PEERS = {
    "Cisco mcp-scanner (YARA)": cisco,
    "Microsoft AGT": microsoft,
    "ContextForge cpex": contextforge,
    "ContextForge cpex (PII)": cpex_personal,
    "Presidio (expressions only)": presidio,
    "detect-secrets": yelp,
}


def main():
    texts = [json.loads(line) for line in sys.stdin]
    answers = {}
    for name, make in PEERS.items():
        try:
            scanners = make()
        except Exception as error:
            print(f"{name} is not here: {error}", file=sys.stderr)
            continue
        for topic, scan in scanners.items():
            chosen = [text["text"] for text in texts if text["topic"] == topic]
            seen, failed, seconds = [], 0, 0.0
            for text in chosen:
                try:
                    scan(text)
                    begun = time.perf_counter()
                    found = scan(text)
                    seconds += time.perf_counter() - begun
                    seen.append(found if topic == "personal" else int(found))
                except Exception as error:
                    failed += 1
                    if failed == 1:
                        print(f"{name}, {topic}: {error}", file=sys.stderr)
                    seen.append([] if topic == "personal" else 0)
            if failed < len(chosen):
                key = "spans" if topic == "personal" else "seen"
                answers.setdefault(topic, {})[name] = {key: seen, "seconds": seconds, "failed": failed}
    try:
        seen, seconds = kingfisher([text["text"] for text in texts if text["topic"] == "secret"])
        answers.setdefault("secret", {})["kingfisher"] = {"seen": seen, "seconds": seconds, "failed": 0}
    except Exception as error:
        print(f"kingfisher is not here: {error}", file=sys.stderr)
    json.dump(answers, sys.stdout)


main()
