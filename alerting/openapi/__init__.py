"""What alerting's HTTP API takes and gives, told in OpenAPI 3.1.

``schemas`` says what things look like, ``operations`` what can be asked; ``document`` puts both
together with the roles of ``alerting.access``. Tests hold all three against the service itself.
"""
