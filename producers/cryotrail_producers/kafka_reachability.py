"""Whether anything answers at a cluster's addresses, asked before a client is built.

kafka-python has no bound on a TLS handshake or a name look-up, and its bootstrap only ever says
"unable to bootstrap"; a plain socket is bounded and knows the reason.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time

from cryotrail_producers.errors import KafkaUnreachable
from cryotrail_producers.kafka_connection import KafkaConnection


def require_reachable(connection: KafkaConnection, timeout_s: float) -> None:
    """Return as soon as one bootstrap address accepts a connection (and, with TLS, a handshake).

    Addresses are tried in turn until ``timeout_s`` has passed, so that a broker that is just
    starting is waited for.

    :raises KafkaUnreachable: naming the addresses and what each last answered.
    """
    context = connection.ssl_context()
    addresses = connection.addresses()
    deadline = time.monotonic() + timeout_s
    answers = dict.fromkeys(addresses, "no answer")
    reached = threading.Event()

    def try_all() -> None:
        while not reached.is_set() and time.monotonic() < deadline:
            for address in addresses:
                left_s = max(0.05, deadline - time.monotonic()) / len(addresses)
                problem = _problem(address, context, left_s)
                if problem is None:
                    reached.set()
                    return
                answers[address] = problem
            time.sleep(0.05)

    # A thread of its own, because a name look-up cannot be interrupted.
    attempt = threading.Thread(target=try_all, name="kafka-reachability", daemon=True)
    attempt.start()
    attempt.join(timeout_s + 0.5)
    if not reached.is_set():
        said = "; ".join(f"{host}:{port}: {answers[host, port]}" for host, port in addresses)
        raise KafkaUnreachable(
            f"no Kafka broker answers at {connection.bootstrap} within {timeout_s:g} s ({said})",
            hint="is the cluster running, the address right, and the security protocol "
            f"({connection.security_protocol}) the one of that port?",
        )


def _problem(
    address: tuple[str, int], context: ssl.SSLContext | None, timeout_s: float
) -> str | None:
    try:
        with socket.create_connection(address, timeout=timeout_s) as plain:
            if context is not None:
                context.wrap_socket(plain, server_hostname=address[0]).close()
    except TimeoutError:
        return "no answer"
    except OSError as error:  # refused, unknown name, no route, TLS alert
        return error.strerror or str(error)
    return None
