Feature: Sub-Flows
  As an implementer of the workflow DSL
  I want to ensure that workflows can run other workflows
  So that my implementation conforms to the expected behavior

  # dsl-reference.md "Workflow Process": awaited, its output is the task's
  Scenario: Run A Workflow
    Given the workspace has a file 'flows/greet.yaml':
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: greet
      version: '1.0.0'
    do:
      - pause:
          wait: PT5M
      - greet:
          set:
            text: ${ "Hello " + .who }
    """
    And a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: parent
      version: '1.0.0'
    do:
      - call:
          run:
            workflow:
              namespace: default
              name: greet
              version: '1.0.0'
              input:
                who: ${ .name }
      - last:
          set:
            said: ${ .text }
    """
    And given the workflow input is:
    """yaml
    name: Ada
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    said: Hello Ada
    """
    And the workflow should have waited PT5M
    And the workflow 'greet' should have run 1 times

  # Its error is the task's, and can be caught.
  Scenario: Run A Workflow That Faults
    Given the workspace has a file 'flows/fail.yaml':
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: fail
      version: '1.0.0'
    do:
      - pause:
          wait: PT1S
      - fail:
          raise:
            error:
              type: https://example.com/errors/sold-out
              status: 410
              title: Sold out
    """
    And a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: parent
      version: '1.0.0'
    do:
      - trySomething:
          try:
            - call:
                run:
                  workflow:
                    namespace: default
                    name: fail
                    version: latest
          catch:
            errors:
              with:
                status: 410
            as: trouble
            do:
              - note:
                  set:
                    title: ${ $trouble.title }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    title: Sold out
    """
    And the workflow 'fail' should have run 1 times

  # dsl-reference.md "Workflow Process": the input is held to the target's schema
  Scenario: Run A Workflow With An Input It Does Not Take
    Given the workspace has a file 'flows/strict.yaml':
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: strict
      version: '1.0.0'
    input:
      schema:
        format: json
        document:
          type: object
          required: [ who ]
    do:
      - done:
          set:
            done: true
    """
    And a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: parent
      version: '1.0.0'
    do:
      - call:
          run:
            workflow:
              namespace: default
              name: strict
              version: '1.0.0'
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://open-workflow-specification.org/spec/1.0.0/errors/validation
    status: 400
    """

  # dsl-reference.md "Run": not awaited, the task gives its transformed input
  Scenario: Run A Workflow And Go On
    Given the workspace has a file 'flows/slow.yaml':
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: slow
      version: '1.0.0'
    do:
      - pause:
          wait: P1D
    """
    And a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: parent
      version: '1.0.0'
    do:
      - call:
          run:
            workflow:
              namespace: default
              name: slow
              version: '1.0.0'
            await: false
    """
    And given the workflow input is:
    """yaml
    kept: true
    """
    When the workflow is started
    Then the workflow should complete with output:
    """yaml
    kept: true
    """
    And the workflow should have waited PT0S
    When the clock runs on
    And the workflow 'slow' is looked at
    Then the workflow should complete
    And the workflow should have waited P1D

  # dsl.md "Timeouts": the outer task's timeout reaches the inner run
  Scenario: Run A Workflow That Takes Too Long
    Given the workspace has a file 'flows/slow.yaml':
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: slow
      version: '1.0.0'
    do:
      - pause:
          wait: P1D
    """
    And a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: parent
      version: '1.0.0'
    do:
      - call:
          run:
            workflow:
              namespace: default
              name: slow
              version: '1.0.0'
          timeout:
            after: PT1H
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://open-workflow-specification.org/spec/1.0.0/errors/timeout
    status: 408
    instance: /do/0/call
    """
    And the workflow should have waited PT1H
    When the workflow 'slow' is looked at
    Then the workflow should be cancelled

  Scenario: Run A Workflow That Listens
    Given the workspace has a file 'flows/hear.yaml':
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: hear
      version: '1.0.0'
    do:
      - hear:
          listen:
            to:
              one:
                with:
                  type: com.example.answer
    output:
      as: .[0]
    """
    And a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: parent
      version: '1.0.0'
    do:
      - loop:
          for:
            in: '[ 1, 2 ]'
            each: n
          do:
            - call:
                run:
                  workflow:
                    namespace: default
                    name: hear
                    version: '1.0.0'
    """
    When the workflow is started
    Then the workflow should be waiting
    When the event is emitted:
    """yaml
    { id: '1', source: /x, type: com.example.answer, data: one }
    """
    Then the workflow should be waiting
    When the event is emitted:
    """yaml
    { id: '2', source: /x, type: com.example.answer, data: two }
    """
    Then the workflow should complete with output:
    """yaml
    two
    """
    And the workflow 'hear' should have run 2 times
