Feature: Export
  As an implementer of the workflow DSL
  I want to ensure that tasks can set the workflow's context
  So that my implementation conforms to the expected behavior

  # dsl-reference.md "Export": evaluated against the transformed output; its result is the new context
  Scenario: Export Replaces The Context
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: export-replace
      version: '1.0.0'
    do:
      - first:
          set:
            color: red
            size: 3
          output:
            as: '{ shade: .color }'
          export:
            as: '.'
      - second:
          set:
            nothing: kept
      - third:
          set:
            context: ${ $context }
            input: ${ . }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    context: { shade: red }
    input: { nothing: kept }
    """

  Scenario: Export Merges Into The Context
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: export-merge
      version: '1.0.0'
    do:
      - first:
          set:
            a: 1
          export:
            as: '$context + .'
      - second:
          set:
            b: 2
          export:
            as: '$context + .'
      - third:
          set:
            all: ${ $context }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    all: { a: 1, b: 2 }
    """

  # dsl-reference.md "Export": as may be an object
  Scenario: Export As An Object
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: export-object
      version: '1.0.0'
    do:
      - first:
          set:
            a: 1
          export:
            as:
              fixed: word
              taken: ${ .a }
      - rest:
          wait: PT1M
      - last:
          set:
            all: ${ $context }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    all: { fixed: word, taken: 1 }
    """

  # dsl-reference.md "Export": the schema is held against the result
  Scenario: Export Breaks Its Schema
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: export-schema
      version: '1.0.0'
    do:
      - first:
          set:
            a: one
          export:
            as: '.'
            schema:
              format: json
              document:
                type: object
                properties:
                  a:
                    type: integer
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://open-workflow-specification.org/spec/1.0.0/errors/validation
    status: 400
    instance: /do/0/first
    """

  # What a loop exports is there in its next turn, and after it.
  Scenario: Export Within A Loop
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: export-loop
      version: '1.0.0'
    do:
      - begin:
          set:
            sum: 0
          export:
            as: '{ sum: 0 }'
      - loop:
          for:
            each: n
            in: '[ 1, 2, 3, 4 ]'
          do:
            - add:
                set:
                  n: ${ $n }
                export:
                  as: '{ sum: ($context.sum + .n) }'
            - rest:
                wait: PT1S
      - last:
          set:
            sum: ${ $context.sum }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    sum: 10
    """
    And the workflow should have waited PT4S
