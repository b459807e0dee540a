Feature: Secrets
  As an implementer of the workflow DSL
  I want to ensure that secrets reach who they are for and nobody else
  So that my implementation conforms to the expected behavior

  # dsl-reference.md "Use" (secrets), "Bearer Authentication"; dsl.md "Runtime Expressions" ($secrets)
  Scenario: A Secret As A Credential
    Given the vault holds 'shop-token':
    """text
    canary-4711-token
    """
    And a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: secret-bearer
      version: '1.0.0'
    use:
      secrets: [ shop-token ]
    do:
      - pause:
          wait: PT1M
      - getPet:
          call: http
          with:
            method: get
            endpoint:
              uri: https://petstore.swagger.io/v2/pet/1
              authentication:
                bearer:
                  token: ${ $secrets["shop-token"] }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { id: 1, name: doggie, status: available }
    """
    And outside should have been asked:
    """yaml
    - { ask: 'GET https://petstore.swagger.io/v2/pet/1', authorization: Bearer canary-4711-token }
    """
    And 'canary-4711-token' should stand nowhere in the workspace

  # dsl-reference.md "Authentication": by the name of a secret
  Scenario: A Secret By Name
    Given the vault holds 'login':
    """text
    {"username":"ada","password":"canary-4712-word"}
    """
    And a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: secret-basic
      version: '1.0.0'
    use:
      secrets: [ login ]
    do:
      - getPet:
          call: http
          with:
            method: get
            endpoint:
              uri: https://petstore.swagger.io/v2/pet/1
              authentication:
                basic:
                  use: login
    """
    When the workflow is executed
    Then the workflow should complete
    And outside should have been asked:
    """yaml
    - { ask: 'GET https://petstore.swagger.io/v2/pet/1', authorization: Basic YWRhOmNhbmFyeS00NzEyLXdvcmQ= }
    """
    And 'canary-4712-word' should stand nowhere in the workspace
    And 'YWRhOmNhbmFyeS00NzEyLXdvcmQ=' should stand nowhere in the workspace

  Scenario: A Secret That The Workflow Does Not Name
    Given the vault holds 'shop-token':
    """text
    canary-4713-token
    """
    And a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: secret-unnamed
      version: '1.0.0'
    do:
      - getPet:
          call: http
          with:
            method: get
            endpoint:
              uri: https://petstore.swagger.io/v2/pet/1
              authentication:
                bearer:
                  token: ${ $secrets["shop-token"] }
    """
    When the workflow is checked
    Then the workflow should be refused with:
    """yaml
    shop-token
    """
