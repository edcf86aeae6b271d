#!/usr/bin/env python3
"""summary.py JUNIT CODE: prints what lit and the random-graph checker said, then `N passed, M failed` as the last line.

Exits with 1 if a test failed, was skipped or could not be run, if there was none, or if ctest's exit code CODE is not 0.
A text test of lit counts as a test of its own.
"""
import re
import sys
import xml.etree.ElementTree as xml


def main(path, code):
    try:
        suite = xml.parse(path).getroot()
    except (OSError, xml.ParseError) as error:
        print(f"summary.py: no test results: {error}", file=sys.stderr)
        return 1
    passed = failed = 0
    skipped = []
    for case in suite.iter("testcase"):
        name, status = case.get("name"), case.get("status")
        output = case.findtext("system-out") or ""
        if name == "lit":
            results = re.findall(r"^(PASS|XFAIL|FAIL|XPASS|UNRESOLVED|TIMEOUT|UNSUPPORTED|SKIPPED): (\S+ :: \S+)", output, re.M)
            for result, test in results:
                print(f"  {result.lower():<6} {test}")
                if result in ("PASS", "XFAIL"):
                    passed += 1
                elif result in ("UNSUPPORTED", "SKIPPED"):
                    skipped.append(test)
                else:
                    failed += 1
            if results:
                continue
        elif name.startswith("fuzz") and status == "run":
            print("".join(f"  {line}\n" for line in output.strip().splitlines()), end="")
        if status == "run":
            passed += 1
        elif case.find("failure") is not None or status == "fail":
            failed += 1
        else:
            skipped.append(name)
    for name in skipped:
        print(f"  skipped {name}")
    ending = f", {len(skipped)} skipped" if skipped else ""
    print(f"{passed} passed, {failed} failed{ending}")
    return 0 if passed and not failed and not skipped and code == 0 else 1


sys.exit(main(sys.argv[1], int(sys.argv[2])))
