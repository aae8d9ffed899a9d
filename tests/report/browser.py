"""Debian's chromium on a page, and what it saw: console errors and requests."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def open_driver(profile: Path) -> Any:
    """A headless chromium that downloads nothing and keeps its console and network logs."""
    os.environ["SE_OFFLINE"] = "true"
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(str(DRIVER)))


class Page:
    """One open page; `state` reads from it what a person would see."""

    def __init__(self, driver: Any, path: Path, *, width: int = 1280, dark: bool = False) -> None:
        self.driver = driver
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]},
        )
        self.drain()
        driver.get(path.as_uri())
        self.settle()

    def run(self, code: str, *arguments: Any) -> Any:
        """The value of a script on the page."""
        return self.driver.execute_script(code, *arguments)

    def settle(self) -> None:
        """Wait until two frames have been drawn."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30)))"
        )

    def choose(self, name: str, value: Any) -> None:
        """Set a control as a person does, and wait for the picture."""
        self.run(
            "const e = document.getElementById(arguments[0]); e.value = arguments[1];"
            "e.dispatchEvent(new Event('input')); e.dispatchEvent(new Event('change'))",
            name,
            str(value),
        )
        self.settle()

    def press(self, selector: str, key: str) -> None:
        """A key on an element."""
        from selenium.webdriver.common.by import By
        from selenium.webdriver.common.keys import Keys

        self.driver.find_element(By.CSS_SELECTOR, selector).send_keys(getattr(Keys, key))
        self.settle()

    def text(self, selector: str) -> str:
        """The text of the first element found."""
        return str(self.run("return document.querySelector(arguments[0]).textContent", selector))

    def ribbons(self) -> list[str]:
        """The paths of the flows that are drawn."""
        return self.run(
            "return [...document.querySelectorAll('#map .flows path')].map(p => p.getAttribute('d')).filter(Boolean)"
        )

    def drain(self) -> tuple[list[str], list[str]]:
        """Console messages of level severe or warning, and the addresses asked for, since the last call."""
        messages = [
            entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")
        ]
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return messages, [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
